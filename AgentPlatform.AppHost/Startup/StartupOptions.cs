using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Startup;

internal static class StartupOptions
{
    /// <summary>Reads a section that shapes the topology, which is before there is a service provider; throws when it is not valid.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="validator">Checks what was read.</param>
    /// <param name="configure">Sets what the section may override.</param>
    public static TOptions ReadOptions<TOptions>(
        this IDistributedApplicationBuilder builder, string section, IValidateOptions<TOptions> validator, Action<TOptions>? configure = null)
        where TOptions : class, new()
    {
        var options = new TOptions();
        configure?.Invoke(options);
        builder.Configuration.GetSection(section).Bind(options);
        var result = validator.Validate(null, options);
        return result.Failed ? throw new OptionsValidationException(section, typeof(TOptions), result.Failures) : options;
    }
}
