using System.Diagnostics;
using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Telemetry;

namespace AgentPlatform.Worker.Engines.Running;

/// <summary>
/// The one way to the engine, for jobs and for HTTP: refuses what the model cannot do, spends nothing on
/// a request whose deadline has passed, waits for a slot, says when the engine begins, ends what runs
/// past its deadline, and turns whatever an engine may throw into an error that the client can read.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class EngineRunner(
    IEngine engine, EngineSlots slots, EngineMetrics metrics, TimeProvider time, ILogger<EngineRunner> logger) : IInference
{
    // Timers end at 49 days; a deadline further away than a day bounds nothing.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    /// <summary>Who answers, as OpenTelemetry's <c>gen_ai.provider.name</c> has it.</summary>
    public const string Provider = "agentplatform";

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A job whose cancel overtook it.
        cancellationToken.ThrowIfCancellationRequested();
        if (!engine.Traits.Operations.Contains(request.Operation))
        {
            throw new InferenceException(InferenceError.Invalid(
                $"The model '{request.Model}' cannot do '{request.Operation.Info().Name}'; it can do "
                + $"'{string.Join("', '", engine.Traits.Operations.Select(static operation => operation.Info().Name))}'.",
                "model"));
        }

        var left = request.TimeLimit.Left;
        if (left <= TimeSpan.Zero)
        {
            throw new InferenceException(InferenceError.DeadlinePassed());
        }

        using var deadline = new CancellationTokenSource(left < _longest ? left : _longest, time);
        using var work = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var run = new Run(request, metrics, time);
        using var slot = await EnterAsync(run, request.IsSuspect, work.Token, cancellationToken);
        yield return new ReplyPart(ReplyKind.Started, default);
        await using var parts = engine.RunAsync(request, work.Token).GetAsyncEnumerator(work.Token);
        while (await MoveNextAsync(run, parts, work.Token, cancellationToken))
        {
            var part = parts.Current;
            if (part.Kind == ReplyKind.Started)
            {
                // An engine that asks a server has been told that it began there.
                continue;
            }

            if (part.IsLast)
            {
                // Before it is given: the reader need not ask for more.
                run.Completed(part);
                yield return part;
                yield break;
            }

            // Whatever its request did to other workers, this one has survived it.
            slot.Share();
            yield return part;
        }

        EngineStoppedShort(logger);
        throw run.Failed(InferenceError.EngineFailed("The engine ended its answer without completing it."));
    }

    private async ValueTask<EngineSlots.Slot> EnterAsync(Run run, bool alone, CancellationToken work, CancellationToken caller)
    {
        try
        {
            return await slots.EnterAsync(alone, work);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            throw run.Failed(InferenceError.DeadlinePassed());
        }
    }

    // Pooled: it waits once per token.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> MoveNextAsync(
        Run run, IAsyncEnumerator<ReplyPart> parts, CancellationToken work, CancellationToken caller)
    {
        run.Resume();
        try
        {
            return await parts.MoveNextAsync();
        }
        catch (InferenceException e)
        {
            run.Failed(e.Error);
            throw;
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            throw run.Failed(InferenceError.DeadlinePassed());
        }
        catch (OutOfMemoryException e)
        {
            // Others of its size run beside it; later it may fit.
            OutOfMemory(logger, e);
            throw run.Failed(InferenceError.Unavailable("The worker has no memory left for this request.", retryAfterSeconds: 2), e);
        }
        catch (Exception e)
        {
            // What a runtime may throw is not known here; one request's failure must not end the worker.
            EngineFailed(logger, e);
            throw run.Failed(InferenceError.EngineFailed("The engine failed."), e);
        }
    }

    [LoggerMessage(LogLevel.Error, "The engine failed")]
    private static partial void EngineFailed(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Error, "A request found no memory left")]
    private static partial void OutOfMemory(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Error, "The engine ended an answer without completing it")]
    private static partial void EngineStoppedShort(ILogger logger);

    /// <summary>Span and measurement of one request in the engine.</summary>
    private sealed class Run : IDisposable
    {
        private readonly InferenceRequest _request;
        private readonly EngineMetrics _metrics;
        private readonly TimeProvider _time;
        private readonly long _began;
        private readonly Activity? _activity;
        private string? _errorType = "cancelled";

        public Run(InferenceRequest request, EngineMetrics metrics, TimeProvider time)
        {
            (_request, _metrics, _time, _began) = (request, metrics, time, time.GetTimestamp());
            if (WorkerTelemetry.Source.HasListeners())
            {
                var operation = request.Operation.Info().Name;
                _activity = WorkerTelemetry.Source.StartActivity(ActivityKind.Internal, name: $"{operation} {request.Model}", tags:
                [
                    new("gen_ai.operation.name", operation),
                    new("gen_ai.provider.name", Provider),
                    new("gen_ai.request.model", request.Model),
                    new("gen_ai.response.model", request.Model),
                    new("agentplatform.model.version", metrics.ModelVersion),
                    new("agentplatform.request.id", request.RequestId),
                ]);
            }
        }

        /// <summary>Makes its span the parent of what the engine does next: it is not that any more once a part was given.</summary>
        public void Resume() => Activity.Current = _activity ?? Activity.Current;

        public void Completed(in ReplyPart last)
        {
            _errorType = null;
            if (_activity is { IsAllDataRequested: true } && TokenUsage.Read(last) is { } usage)
            {
                _activity.SetTag("gen_ai.usage.input_tokens", usage.Input).SetTag("gen_ai.usage.output_tokens", usage.Output);
            }
        }

        public InferenceException Failed(InferenceError error, Exception? cause = null)
        {
            _errorType = error.Code ?? error.Type;
            _activity?.SetStatus(ActivityStatusCode.Error); // Not the message: a server quotes in it what it refuses.
            return new InferenceException(error, cause);
        }

        public void Dispose()
        {
            _activity?.SetTag("error.type", _errorType);
            _activity?.Dispose();
            _metrics.Ended(_request.Operation, _request.Model, _errorType, _time.GetElapsedTime(_began));
        }
    }
}
