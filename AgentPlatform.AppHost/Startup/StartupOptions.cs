using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Startup;

internal static class StartupOptions
{
    /// <summary>Reads a section that shapes the topology, which is before there is a service provider; throws when it is not valid.</summary>
    public static TOptions ReadOptions<TOptions>(this IDistributedApplicationBuilder builder, string section, IValidateOptions<TOptions> validator)
        where TOptions : class, new()
    {
        var options = builder.Configuration.GetSection(section).Get<TOptions>() ?? new TOptions();
        var result = validator.Validate(null, options);
        return result.Failed ? throw new OptionsValidationException(section, typeof(TOptions), result.Failures) : options;
    }
}
