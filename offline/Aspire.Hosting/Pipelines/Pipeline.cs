namespace Aspire.Hosting.Pipelines;

/// <summary>The steps of an application.</summary>
internal sealed class Pipeline : IDistributedApplicationPipeline
{
    private readonly Dictionary<string, Step> _steps = new(StringComparer.OrdinalIgnoreCase);

    public Pipeline() => AddStep(WellKnownPipelineSteps.Publish, static _ => Task.CompletedTask);

    public void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null)
    {
        if (!_steps.TryAdd(name, new Step(name, action, [.. Names(dependsOn)], [.. Names(requiredBy)])))
        {
            throw new InvalidOperationException($"There is a step '{name}' already.");
        }
    }

    /// <summary>Runs a step, and before it the steps that it needs.</summary>
    public async Task RunAsync(string name, PipelineStepContext context)
    {
        if (!_steps.ContainsKey(name))
        {
            throw new DistributedApplicationException($"There is no step '{name}': pass one of {string.Join(", ", _steps.Keys.Order(StringComparer.Ordinal))} with '--step'.");
        }

        var order = new List<Step>();
        Visit(name, order, []);
        foreach (var step in order)
        {
            await step.Action(context);
        }
    }

    private void Visit(string name, List<Step> order, HashSet<string> visiting)
    {
        if (order.Any(step => step.Name == name))
        {
            return;
        }

        if (!_steps.TryGetValue(name, out var step) || !visiting.Add(name))
        {
            throw new InvalidOperationException(step is null ? $"A step needs '{name}', which does not exist." : $"The step '{name}' needs itself.");
        }

        foreach (var before in step.DependsOn.Concat(_steps.Values.Where(other => other.RequiredBy.Contains(name, StringComparer.OrdinalIgnoreCase)).Select(other => other.Name)))
        {
            Visit(before, order, visiting);
        }

        visiting.Remove(name);
        order.Add(step);
    }

    private static IEnumerable<string> Names(object? names) => names switch
    {
        null => [],
        string name => [name],
        IEnumerable<string> several => several,
        _ => throw new ArgumentException("A step is named by a string, or several by a list of strings.", nameof(names)),
    };

    private sealed record Step(string Name, Func<PipelineStepContext, Task> Action, IReadOnlyList<string> DependsOn, IReadOnlyList<string> RequiredBy);
}
