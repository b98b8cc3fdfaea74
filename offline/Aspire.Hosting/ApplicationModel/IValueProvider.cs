namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that is known when the application runs.</summary>
public interface IValueProvider
{
    /// <summary>Waits until the value is known.</summary>
    internal ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}

/// <summary>A value that a published application fills in, written as <c>{resource.path}</c>.</summary>
public interface IManifestExpressionProvider
{
    /// <summary>The expression, for example <c>{messaging.bindings.tcp.port}</c>.</summary>
    internal string ValueExpression { get; }
}
