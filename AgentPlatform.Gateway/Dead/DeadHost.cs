using AgentPlatform.Client.Models;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway.Dead;

/// <summary>What commands need of a gateway: its configuration and its side of the broker, without the HTTP surface.</summary>
internal static class DeadHost
{
    /// <exception cref="OptionsValidationException">No broker is configured.</exception>
    public static IHost Build(IReadOnlyDictionary<string, string?>? settings)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(settings);
        if (!ModelRules.HasBroker(builder.Configuration))
        {
            throw new OptionsValidationException("", typeof(BrokerOptions),
                ["ConnectionStrings:messaging is missing; set it to the broker's address, such as amqp://user:password@host:5672."]);
        }

        // Standard output is for what was asked.
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<LoggerFilterOptions>(static filter =>
        {
            filter.Rules.Clear();
            filter.MinLevel = LogLevel.Error;
        });

        // It lives for one command: a worker that still has something of it is not to wait for it.
        builder.Configuration[$"{BrokerOptions.Section}:{nameof(BrokerOptions.ReplyQueueExpiry)}"] = "00:00:10";
        builder.AddBrokerConnection();

        // It declares no queue: a version that is gone must not come back because a job of it is dead.
        builder.AddGatewayMessaging(static _ => new JobQueues([]));
        return builder.Build();
    }
}
