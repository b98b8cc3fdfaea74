using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway;

/// <summary>What a person did wrong when the gateway cannot start: sentences that name the key instead of a stack trace.</summary>
internal static class StartupMistake
{
    /// <summary>The sentences, or null if the failure is not a person's mistake.</summary>
    public static string? Describe(Exception e) => e switch
    {
        AggregateException many when many.InnerExceptions.Select(Describe).ToList() is var all && !all.Contains(null) => string.Join(Environment.NewLine, all),
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),

        // "Failed to convert configuration value 'soon' at 'Api:DefaultDeadline' to type 'System.TimeSpan'."; in a collection it is inside another.
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder", InnerException: InvalidOperationException inner } => Describe(inner),
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => e.Message,
        IOException { InnerException: AddressInUseException } => $"{e.Message} Choose another with --urls or HTTP_PORTS.",
        UriFormatException => $"ConnectionStrings:messaging is no address such as amqp://user:password@host:5672: {e.Message}",
        _ => null,
    };
}
