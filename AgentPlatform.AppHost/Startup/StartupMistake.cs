using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Startup;

/// <summary>The platform cannot start on this machine or with these settings. The message is a sentence that says what to do.</summary>
internal sealed class StartupException(string message) : Exception(message);

/// <summary>Describes an error that the user can correct by a sentence that names the key, instead of a stack trace.</summary>
internal static class StartupMistake
{
    /// <summary>Returns the sentence, or null if the user cannot correct the error.</summary>
    public static string? Explain(Exception e) => e switch
    {
        AggregateException { InnerExceptions: [var only] } => Explain(only),
        OptionsValidationException invalid =>
            string.Join(Environment.NewLine, invalid.Failures.Select(failure => NameKey(failure, invalid.OptionsType))),
        StartupException => e.Message,

        // "Failed to convert configuration value 'soon' at 'Gateway:Port' to type 'System.Int32'."
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => e.Message,
        _ => null,
    };

    // "Port: The field GatewayOptions.Port must be between 1 and 65535." becomes "The field Gateway:Port must …"
    private static string NameKey(string failure, Type options)
    {
        var colon = failure.IndexOf(": ", StringComparison.Ordinal);
        var sentence = colon > 0 && !failure[..colon].Contains(' ', StringComparison.Ordinal) ? failure[(colon + 2)..] : failure;
        var section = options.Name.Replace("Options", "", StringComparison.Ordinal);
        return sentence.Replace($"{options.Name}.", $"{section}:", StringComparison.Ordinal);
    }
}
