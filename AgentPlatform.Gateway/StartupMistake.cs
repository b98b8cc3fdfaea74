using AgentPlatform.Api;
using AgentPlatform.Messaging.Broker;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway;

/// <summary>What a person did wrong when the gateway cannot start: sentences that name the key instead of a stack trace.</summary>
internal static class StartupMistake
{
    private static readonly (string Options, string Section)[] _sections =
        [(nameof(InferenceApiOptions), InferenceApiOptions.Section), (nameof(MessagingOptions), MessagingOptions.Section)];

    /// <summary>The sentences, or null if the failure is not a person's mistake.</summary>
    public static string? Describe(Exception e) => e switch
    {
        AggregateException many when many.InnerExceptions.Select(Describe).ToList() is var all && !all.Contains(null) => string.Join(Environment.NewLine, all),
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures.Select(NameKey)),

        // "Failed to convert configuration value 'soon' at 'Api:DefaultDeadline' to type 'System.TimeSpan'."; in a collection it is inside another.
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder", InnerException: InvalidOperationException inner } => Describe(inner),
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => e.Message,
        IOException { InnerException: AddressInUseException } => $"{e.Message} Choose another with --urls or HTTP_PORTS.",
        UriFormatException => $"ConnectionStrings:messaging is no address such as amqp://user:password@host:5672: {e.Message}",
        _ => null,
    };

    // "MaxBodySize: The field InferenceApiOptions.MaxBodySize must be between 1 and 9." becomes "The field Api:MaxBodySize must be between 1 and 9."
    private static string NameKey(string failure)
    {
        foreach (var (options, section) in _sections)
        {
            if (failure.IndexOf($"The field {options}.", StringComparison.Ordinal) is >= 0 and var at)
            {
                return failure[at..].Replace($"{options}.", $"{section}:", StringComparison.Ordinal);
            }
        }

        return failure;
    }
}
