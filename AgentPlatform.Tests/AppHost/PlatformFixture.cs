namespace AgentPlatform.Tests.AppHost;

/// <summary>A running platform that tests share.</summary>
public sealed class PlatformFixture : IAsyncLifetime
{
    private readonly PlatformProcess _platform = PlatformProcess.Start("--Broker:Mode=local");

    /// <summary>Address of the gateway.</summary>
    public Uri Gateway { get; private set; } = null!;

    /// <summary>Address of the dashboard with its login token.</summary>
    public Uri Dashboard { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => (Gateway, Dashboard) = await _platform.ReadyAsync();

    /// <inheritdoc/>
    public Task DisposeAsync() => _platform.DisposeAsync().AsTask();
}

/// <summary>Tests of the whole application share one, and run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class PlatformGroup : ICollectionFixture<PlatformFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "AppHost";
}
