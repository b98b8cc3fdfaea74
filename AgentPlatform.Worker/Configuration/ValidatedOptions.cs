using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Configuration;

/// <summary>Options that are read from the configuration when the process starts.</summary>
internal static class ValidatedOptions
{
    /// <summary>Binds options to their section and validates them when the process starts.</summary>
    public static void AddValidated<TOptions, TValidator>(this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
    }
}
