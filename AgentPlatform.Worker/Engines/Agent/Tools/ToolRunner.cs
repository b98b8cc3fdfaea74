using System.Text.Json;
using AgentPlatform.Inference.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Worker.Engines.Agent.Tools;

/// <summary>How a call of a tool ended.</summary>
internal enum ToolStatus
{
    /// <summary>The tool returned a result.</summary>
    Succeeded,

    /// <summary>The tool threw an exception, or does not exist.</summary>
    Failed,

    /// <summary>The tool did not return in time.</summary>
    TimedOut,
}

/// <summary>What came of a call.</summary>
/// <param name="Call">The call.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Result">What the model is told.</param>
/// <param name="Duration">How long it took.</param>
internal sealed record ToolOutcome(ToolCall Call, ToolStatus Status, string Result, TimeSpan Duration);

/// <summary>Runs an agent's tools. Whatever one does, it ends within its time, and a failure is something that the model is told.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class ToolRunner(Kernel kernel, TimeSpan timeout, int maxResult, TimeProvider time, ILogger logger)
{
    private const int MaxMessage = 500;

    // Arguments and results may be nested as deep as any other JSON.
    private static readonly JsonSerializerOptions _json = new(AIJsonUtilities.DefaultOptions) { MaxDepth = JsonLimits.Document.MaxDepth };

    private readonly Dictionary<string, KernelFunction> _functions =
        kernel.Plugins.SelectMany(plugin => plugin).ToDictionary(NameOf, StringComparer.Ordinal);

    /// <summary>The name under which Semantic Kernel tells the model of a function.</summary>
    public static string NameOf(KernelFunction function) =>
        string.IsNullOrEmpty(function.PluginName) ? function.Name : $"{function.PluginName}_{function.Name}";

    /// <summary>A call's arguments.</summary>
    public static KernelArguments ReadArguments(ToolCall call) => string.IsNullOrEmpty(call.Arguments)
        ? []
        : new KernelArguments(JsonSerializer.Deserialize<Dictionary<string, object?>>(call.Arguments, _json)!);

    /// <summary>Runs one call.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<ToolOutcome> RunAsync(ToolCall call, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        if (!_functions.TryGetValue(call.Function, out var function))
        {
            return Outcome(ToolStatus.Failed, $"Error: there is no tool '{call.Function}'.");
        }

        using var limit = new CancellationTokenSource(timeout, time);
        using var work = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            // Not only by its token: a tool may ignore it, and is left behind then.
            var result = await InvokeAsync(function, ReadArguments(call), work.Token).WaitAsync(work.Token);
            return result.Length <= maxResult
                ? Outcome(ToolStatus.Succeeded, result)
                : Outcome(
                    ToolStatus.Failed,
                    $"Error: the tool's result has {result.Length} characters, and {maxResult} are the most that can be taken. "
                    + "Ask it for less.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            TimedOut(logger, call.Function, timeout);
            return Outcome(
                ToolStatus.TimedOut, FormattableString.Invariant($"Error: the tool did not answer within {timeout.TotalSeconds} seconds."));
        }
        catch (Exception e)
        {
            // What a tool may throw is not known here; the model can try something else.
            Failed(logger, e, call.Function);
            return Outcome(ToolStatus.Failed, $"Error: {(e.Message.Length > MaxMessage ? e.Message[..MaxMessage] : e.Message)}");
        }

        ToolOutcome Outcome(ToolStatus status, string result) => new(call, status, result, time.GetElapsedTime(began));
    }

    private async Task<string> InvokeAsync(KernelFunction function, KernelArguments arguments, CancellationToken cancellationToken)
    {
        // On a thread of its own: a tool may block the one that calls it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var result = await function.InvokeAsync(kernel, arguments, cancellationToken);
        return result.GetValue<object>() switch
        {
            null => "",
            string text => text,
            JsonElement { ValueKind: JsonValueKind.String } text =>
                text.GetString()!, // As a result of a function that is none of Semantic Kernel's own.
            var value => JsonSerializer.Serialize(value, _json),
        };
    }

    [LoggerMessage(LogLevel.Warning, "The tool {Tool} failed")]
    private static partial void Failed(ILogger logger, Exception e, string tool);

    [LoggerMessage(LogLevel.Warning, "The tool {Tool} did not answer within {Timeout}")]
    private static partial void TimedOut(ILogger logger, string tool, TimeSpan timeout);
}
