using System.Text.RegularExpressions;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway.Models;

/// <summary>Checks the models together and each by its transport, which annotations cannot; every failure is one sentence that names the key.</summary>
internal sealed partial class ModelsOptionsValidator(IConfiguration configuration) : IValidateOptions<ModelsOptions>
{
    /// <summary>Where Aspire's client looks for the broker's address.</summary>
    private static readonly string[] _brokerKeys =
        ["ConnectionStrings:messaging", "Aspire:RabbitMQ:Client:messaging:ConnectionString", "Aspire:RabbitMQ:Client:ConnectionString"];

    private static readonly TimeSpan _maxBatchWindow = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ModelsOptions options)
    {
        var failures = options.Models.Count == 0
            ? ["No model is configured; set at least Models:0:Name (in the environment: Models__0__Name)."]
            : options.Models.SelectMany((model, index) => Check(model, $"Models:{index}")).Concat(CheckNames(options.Models)).Concat(CheckQueues(options.Models)).Concat(CheckBroker(options.Models)).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Check(ModelOptions model, string key)
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
            yield return $"{key}:Operations may hold Chat and Analyze.";
        }
        else if (model.Transport == Transport.OpenAI && model.Operations.Contains(Operation.Analyze))
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

    private static IEnumerable<string> CheckNames(IEnumerable<ModelOptions> models) => models
        .Select((model, index) => (model.Name, index))
        .GroupBy(model => model.Name, StringComparer.Ordinal)
        .Where(same => same.Count() > 1 && same.Key.Length > 0)
        .Select(same => $"Models:{same.Last().index}:Name '{same.Key}' is taken by Models:{same.First().index}.");

    private IEnumerable<string> CheckBroker(IEnumerable<ModelOptions> models)
    {
        if (models.FirstOrDefault(model => model.Transport == Transport.Queue) is { } model && !_brokerKeys.Any(key => !string.IsNullOrWhiteSpace(configuration[key])))
        {
            yield return $"{_brokerKeys[0]} is missing, and the model '{model.Name}' is reached through the broker; set it to an address such as amqp://user:password@host:5672.";
        }
    }

    // "a.b" at version "c" and "a" at version "b.c" would share a queue, and each would get the other's jobs.
    private static IEnumerable<string> CheckQueues(IEnumerable<ModelOptions> models) => models
        .Select((model, index) => (model.Name, model.Transport, Queue: Topology.JobQueue(model.Name, model.Version), index))
        .Where(model => model.Transport == Transport.Queue)
        .GroupBy(model => model.Queue, StringComparer.Ordinal)
        .Where(same => same.DistinctBy(model => model.Name).Count() > 1)
        .Select(same => $"Models:{same.Last().index}:Version would make the queue '{same.Key}', which Models:{same.First().index} has.");

    // Queue names end at 255 bytes.
    [GeneratedRegex("^[A-Za-z0-9_.:/-]{1,100}$")]
    private static partial Regex QueuePart();

    [GeneratedRegex("^[A-Za-z0-9_.-]{1,50}$")]
    private static partial Regex VersionPart();
}
