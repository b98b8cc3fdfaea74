using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging;

/// <summary>What must hold between the options of gateways, of workers and of their connection, which have to agree.</summary>
internal sealed class MessagingRules(IOptions<AnsweringOptions> answering, IOptions<BrokerOptions> broker) : IValidateOptions<AskingOptions>
{
    public ValidateOptionsResult Validate(string? name, AskingOptions options)
    {
        try
        {
            return Compare(options, answering.Value, broker.Value);
        }
        catch (OptionsValidationException)
        {
            // The others have mistakes of their own, which are reported as theirs.
            return ValidateOptionsResult.Success;
        }
    }

    private static ValidateOptionsResult Compare(AskingOptions asking, AnsweringOptions answering, BrokerOptions broker)
    {
        List<string> mistakes = [];
        if (asking.LeaseTimeout < 3 * answering.HeartbeatInterval)
        {
            mistakes.Add(
                $"Messaging:LeaseTimeout is {asking.LeaseTimeout}; it must be at least three times Messaging:HeartbeatInterval, " +
                $"which is {answering.HeartbeatInterval}.");
        }

        if (answering.GatewayTimeout < 2 * broker.MaxReconnectDelay)
        {
            mistakes.Add(
                $"Messaging:GatewayTimeout is {answering.GatewayTimeout}; it must be at least twice Messaging:MaxReconnectDelay, " +
                $"which is {broker.MaxReconnectDelay}.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
