using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker;

/// <summary>What a person did wrong when a process cannot start: sentences that name the key instead of a stack trace.</summary>
internal static class StartupMistake
{
    /// <summary>The sentences, or null if the failure is not a person's mistake.</summary>
    public static string? Describe(Exception e) => e switch
    {
        AggregateException many when many.InnerExceptions.Select(Describe).ToList() is var all && !all.Contains(null) => string.Join(Environment.NewLine, all),
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures.Select(failure => NameKey(failure, invalid.OptionsType))),

        // "Failed to convert configuration value 'soon' at 'Stopping:DrainTimeout' to type 'System.TimeSpan'."
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => e.Message,
        IOException { InnerException: AddressInUseException } => $"{e.Message} Choose another with --urls or HTTP_PORTS.",
        _ => null,
    };

    // "Slots: The field EngineOptions.Slots must be between 1 and 65535." becomes "The field Engine:Slots must …"
    private static string NameKey(string failure, Type options)
    {
        var section = options.Name.EndsWith("Options", StringComparison.Ordinal) ? options.Name[..^"Options".Length] : options.Name;
        var sentence = failure.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon && !failure[..colon].Contains(' ', StringComparison.Ordinal) ? failure[(colon + 2)..] : failure;
        return sentence.Replace($"{options.Name}.", $"{section}:", StringComparison.Ordinal);
    }
}
