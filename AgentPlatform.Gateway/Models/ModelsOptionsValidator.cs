using AgentPlatform.Client.Models;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway.Models;

/// <summary>Checks the models each and together; every failure is one sentence that names the key.</summary>
internal sealed class ModelsOptionsValidator(IConfiguration configuration) : IValidateOptions<ModelsOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ModelsOptions options)
    {
        var failures = options.Models.Count == 0
            ? ["No model is configured; set at least Models:0:Name (in the environment: Models__0__Name)."]
            : options.Models.SelectMany((model, index) => ModelRules.Check(model, $"Models:{index}")).Concat(CheckNames(options.Models))
                .Concat(CheckQueues(options.Models))
                .Concat(options.Models.SelectMany(model => ModelRules.CheckBroker(model, configuration)).Take(1)).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> CheckNames(IEnumerable<ModelOptions> models) => models
        .Select((model, index) => (model.Name, index))
        .GroupBy(model => model.Name, StringComparer.Ordinal)
        .Where(same => same.Count() > 1 && same.Key.Length > 0)
        .Select(same => $"Models:{same.Last().index}:Name '{same.Key}' is taken by Models:{same.First().index}.");

    // "a.b" at version "c" and "a" at version "b.c" would share a queue, and each would get the other's jobs.
    private static IEnumerable<string> CheckQueues(IEnumerable<ModelOptions> models) => models
        .Select((model, index) => (model.Name, model.Transport, Queue: QueueNames.Job(model.Name, model.Version), index))
        .Where(model => model.Transport == Transport.Queue)
        .GroupBy(model => model.Queue, StringComparer.Ordinal)
        .Where(same => same.DistinctBy(model => model.Name).Count() > 1)
        .Select(same => $"Models:{same.Last().index}:Version would make the queue '{same.Key}', which Models:{same.First().index} has.");
}
