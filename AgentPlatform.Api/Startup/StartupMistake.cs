using System.Reflection;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Startup;

/// <summary>What a person did wrong when a process cannot start: sentences that name the key instead of a stack trace.</summary>
public static class StartupMistake
{
    /// <summary>The sentences, one a line, or null if the failure is not a person's mistake.</summary>
    public static string? Explain(Exception e) => e switch
    {
        AggregateException many when many.InnerExceptions.Select(Explain).ToList() is var all && !all.Contains(null) =>
            string.Join(Environment.NewLine, all),
        OptionsValidationException invalid =>
            string.Join(Environment.NewLine, invalid.Failures.Select(failure => NameKey(failure, invalid.OptionsType))),

        // "Failed to convert configuration value 'soon' at 'Api:DefaultDeadline' to type 'System.TimeSpan'."; in a collection it is inside
        // another.
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder",
            InnerException: InvalidOperationException inner } => Explain(inner),
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => e.Message,
        IOException { InnerException: AddressInUseException } => $"{e.Message} Choose another with --urls or HTTP_PORTS.",
        UriFormatException => $"ConnectionStrings:messaging is not an address such as amqp://user:password@host:5672: {e.Message}",
        _ => null,
    };

    // "Slots: The field EngineOptions.Slots must be between 1 and 65535." becomes "The field Engine:Slots must be between 1 and 65535."
    private static string NameKey(string failure, Type options)
    {
        var section = options.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue();
        var at = failure.IndexOf($"The field {options.Name}.", StringComparison.Ordinal);
        return section is null || at < 0
            ? WithoutMember(failure)
            : failure[at..].Replace($"{options.Name}.", $"{section}:", StringComparison.Ordinal);
    }

    // "Type: Engine:Type must name the engine of this worker.": the validator puts the member before a message of our own.
    private static string WithoutMember(string failure) =>
        failure.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon && failure[..colon].All(char.IsLetterOrDigit)
            ? failure[(colon + 2)..]
            : failure;
}
