using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside: configuration key <c>Parameters:NAME</c>, or <c>ConnectionStrings:NAME</c> for a connection string.</summary>
public sealed class ParameterResource : Resource, IValueProvider, IManifestExpressionProvider
{
    private readonly Lazy<string> _value;

    internal ParameterResource(string name, Func<ParameterDefault?, string> read, ParameterDefault? defaultValue, bool secret) : base(name)
    {
        _value = new Lazy<string>(() => read(defaultValue));
        Default = defaultValue;
        Secret = secret;
    }

    /// <summary>Whether it is masked wherever it is shown.</summary>
    internal bool Secret { get; }

    internal ParameterDefault? Default { get; }

    /// <inheritdoc />
    public string ValueExpression => $"{{{Name}.value}}";

    /// <summary>The value; a missing one throws a sentence that names the configuration key.</summary>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(_value.Value);
}

/// <summary>A value for a parameter that nobody sets.</summary>
internal abstract record ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A random password, made once and kept in the user secrets of the application host.</summary>
internal sealed record GenerateParameterDefault(int MinLength, bool Lower, bool Upper, bool Numeric, bool Special) : ParameterDefault
{
    public override string GetDefaultValue()
    {
        // Without letters that are easily taken for one another, and with symbols that need no quoting in a shell or a URI.
        var alphabet = string.Concat(
            Lower ? "abcdefghjkmnpqrstuvwxyz" : "", Upper ? "ABCDEFGHJKMNPQRSTUVWXYZ" : "", Numeric ? "0123456789" : "", Special ? "-_.{}~()*+!" : "");
        return RandomNumberGenerator.GetString(alphabet, MinLength);
    }
}

/// <summary>A connection string from the configuration.</summary>
internal sealed class ConnectionStringParameterResource(ParameterResource value, string? environmentVariable) : Resource(value.Name), IResourceWithConnectionString
{
    public ParameterResource Parameter => value;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{value}");

    public string? ConnectionStringEnvironmentVariable => environmentVariable;
}
