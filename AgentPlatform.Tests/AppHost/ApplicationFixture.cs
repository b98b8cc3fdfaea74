namespace AgentPlatform.Tests.AppHost;

/// <summary>An application that tests share.</summary>
public sealed class ApplicationFixture : IAsyncLifetime
{
    /// <summary>The application.</summary>
    internal TestApplication Application { get; private set; } = null!;

    /// <summary>Address of the gateway.</summary>
    public Uri Gateway => Application.Gateway;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Application = await TestApplication.StartAsync();

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Application.DisposeAsync();
}

/// <summary>Tests of the application share one, and run one after another, beside no others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ApplicationGroup : ICollectionFixture<ApplicationFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Application";
}
