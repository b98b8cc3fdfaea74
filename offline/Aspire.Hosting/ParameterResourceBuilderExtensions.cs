using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Values from outside: parameters and connection strings.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter; its value is <c>Parameters:NAME</c> of the configuration.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(builder.Parameter(name, defaultValue: null, secret));

    /// <summary>Makes a secret parameter, not yet part of the application, with a random value that is kept in user secrets when there is none.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(
        IDistributedApplicationBuilder builder, string name, bool lower = true, bool upper = true, bool numeric = true, bool special = true) =>
        builder.Parameter(name, new GenerateParameterDefault(22, lower, upper, numeric, special), secret: true);

    /// <summary>Adds a connection string; its value is <c>ConnectionStrings:NAME</c> of the configuration.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null)
    {
        var value = new ParameterResource(
            name, _ => builder.Configuration.GetConnectionString(name) ?? throw Missing($"ConnectionStrings:{name}"), defaultValue: null, secret: true);
        return builder.AddResource(new ConnectionStringParameterResource(value, environmentVariableName));
    }

    private static ParameterResource Parameter(this IDistributedApplicationBuilder builder, string name, ParameterDefault? defaultValue, bool secret)
    {
        var key = $"Parameters:{name}";
        return new ParameterResource(name, Read, defaultValue, secret);

        string Read(ParameterDefault? fallback)
        {
            if (builder.Configuration[key] is { Length: > 0 } configured)
            {
                return configured;
            }

            var value = (fallback ?? throw Missing(key)).GetDefaultValue();
            if (fallback is GenerateParameterDefault && builder.ExecutionContext.IsRunMode)
            {
                // A broker keeps its password in its data folder, so the next run must know it.
                UserSecrets.Keep(key, value);
                builder.Configuration[key] = value;
            }

            return value;
        }
    }

    private static InvalidOperationException Missing(string key) => new($"The configuration has no value for '{key}'.");
}
