using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Startup;

internal static class StartupOptions
{
    /// <summary>Reads and validates options while the application model is built, when there is no service provider yet.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="validator">Validates the options.</param>
    /// <param name="configure">Sets defaults, which the section can override.</param>
    /// <exception cref="OptionsValidationException">The options are not valid.</exception>
    public static TOptions ReadOptions<TOptions>(
        this IDistributedApplicationBuilder builder,
        string section,
        IValidateOptions<TOptions> validator,
        Action<TOptions>? configure = null)
        where TOptions : class, new()
    {
        var options = new TOptions();
        configure?.Invoke(options);
        builder.Configuration.GetSection(section).Bind(options);
        var result = validator.Validate(null, options);
        return result.Failed ? throw new OptionsValidationException(section, typeof(TOptions), result.Failures) : options;
    }
}
