using System.Text.RegularExpressions;
using AgentPlatform.Inference;
using AgentPlatform.Messaging;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Client.Models;

/// <summary>
/// What must hold of a model by its transport, which annotations cannot say. Every mistake is one sentence that names the key.
/// </summary>
public static partial class ModelRules
{
    private static readonly TimeSpan _maxBatchWindow = TimeSpan.FromSeconds(10);

    /// <summary>The mistakes in a model whose section is <paramref name="key"/>.</summary>
    public static IEnumerable<string> Check(ModelOptions model, string key)
    {
        if (string.IsNullOrWhiteSpace(model.Name))
        {
            yield return $"{key}:Name is missing.";
        }
        else if (model.Transport == Transport.Queue && !QueuePart().IsMatch(model.Name))
        {
            yield return $"{key}:Name '{model.Name}' cannot name a queue; use up to 100 letters, digits, '-', '_', '.', ':' and '/'.";
        }

        if (model.Transport == Transport.Queue && !VersionPart().IsMatch(model.Version))
        {
            yield return $"{key}:Version '{model.Version}' cannot name a queue; use up to 50 letters, digits, '-', '_' and '.'.";
        }

        if (!Enum.IsDefined(model.Transport))
        {
            yield return $"{key}:Transport must be queue, http or openai.";
        }
        else if (model.Transport != Transport.Queue && model.Endpoint is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            yield return $"{key}:Endpoint must be an absolute http or https address, since the model's transport is '{model.Transport}'.";
        }

        if (model.Operations.Any(operation => !Enum.IsDefined(operation)))
        {
            yield return $"{key}:Operations may hold {string.Join(" and ", Enum.GetNames<Operation>())}.";
        }
        else if (model.Transport == Transport.OpenAI && model.Operations.Any(static operation => operation.Info().OpenAIPath is null))
        {
            yield return $"{key}:Operations cannot hold Analyze, since an OpenAI-compatible server only chats.";
        }

        if (model.BatchWindow < TimeSpan.Zero || model.BatchWindow > _maxBatchWindow)
        {
            yield return $"{key}:BatchWindow must be between 0 and {_maxBatchWindow.TotalSeconds} seconds.";
        }
        else if (model.BatchWindow > TimeSpan.Zero && model.Transport != Transport.Http)
        {
            yield return $"{key}:BatchWindow works with the transport http only.";
        }

        if (model.MaxBatchSize is < 1 or > 10_000)
        {
            yield return $"{key}:MaxBatchSize must be between 1 and 10000.";
        }
    }

    /// <summary>Whether the broker's address is configured.</summary>
    public static bool HasBroker(IConfiguration configuration) =>
        MessagingExtensions.AddressKeys.Any(key => !string.IsNullOrWhiteSpace(configuration[key]));

    /// <summary>Whether a model that is reached through the broker has one.</summary>
    public static IEnumerable<string> CheckBroker(ModelOptions model, IConfiguration configuration)
    {
        if (model.Transport == Transport.Queue && !HasBroker(configuration))
        {
            yield return $"{MessagingExtensions.AddressKeys[0]} is missing, and the model '{model.Name}' is reached through the broker; " +
                $"set it to an address such as amqp://user:password@host:5672.";
        }
    }

    // Queue names end at 255 bytes.
    [GeneratedRegex("^[A-Za-z0-9_.:/-]{1,100}$")]
    private static partial Regex QueuePart();

    [GeneratedRegex("^[A-Za-z0-9_.-]{1,50}$")]
    private static partial Regex VersionPart();
}
