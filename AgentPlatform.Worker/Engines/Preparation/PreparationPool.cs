using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Preparation;

/// <summary>
/// The threads on which requests become what an engine computes: JSON is read, templates are rendered, tokens are
/// made. That costs as much as the client likes to send, so it happens neither on the loop that begins jobs nor
/// on the thread pool, whose timers and connections keep the worker's requests its own; and so few at a time that
/// what each takes of memory is bounded. Long requests have threads of their own and hold up no short ones.
/// </summary>
/// <remarks>Safe for concurrent use. First come, first served within a lane.</remarks>
internal sealed class PreparationPool : IDisposable
{
    // What is done sooner than another thread could begin with it.
    private const int AtOnce = 4 * 1024;
    private const int Short = 128 * 1024;

    private readonly BlockingCollection<Work> _short = [];
    private readonly BlockingCollection<Work> _long = [];
    private readonly List<Thread> _threads = [];

    public PreparationPool(IOptions<EngineOptions> options)
    {
        var threads = options.Value.PreparationThreads ?? Math.Max(1, Environment.ProcessorCount / 4);
        for (var number = 0; number < threads; number++)
        {
            Start(_short, $"prepare-short-{number}");
            Start(_long, $"prepare-long-{number}");
        }
    }

    /// <summary>Does it on one of the threads; a request of a few kilobytes at once.</summary>
    /// <param name="size">Bytes of the request.</param>
    /// <param name="prepare">What is to be done; it looks at its token from time to time.</param>
    /// <param name="cancellationToken">Ends it, or takes it out of the line.</param>
    public ValueTask<T> RunAsync<T>(int size, Func<CancellationToken, T> prepare, CancellationToken cancellationToken)
    {
        if (size <= AtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ValueTask.FromResult(prepare(cancellationToken));
        }

        var work = new Work<T>(prepare, cancellationToken);
        (size <= Short ? _short : _long).Add(work, CancellationToken.None);
        return new ValueTask<T>(work.Result);
    }

    /// <summary>Takes nothing more, and waits for what is being done.</summary>
    public void Dispose()
    {
        _short.CompleteAdding();
        _long.CompleteAdding();
        _threads.ForEach(static thread => thread.Join());
        _short.Dispose();
        _long.Dispose();
    }

    private void Start(BlockingCollection<Work> lane, string name)
    {
        var thread = new Thread(() =>
        {
            foreach (var work in lane.GetConsumingEnumerable())
            {
                work.Run();
            }
        })
        { IsBackground = true, Name = name };
        thread.Start();
        _threads.Add(thread);
    }

    private abstract class Work
    {
        public abstract void Run();
    }

    private sealed class Work<T> : Work
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Func<CancellationToken, T> _prepare;
        private readonly CancellationToken _cancellationToken;
        private readonly CancellationTokenRegistration _cancelled;

        public Work(Func<CancellationToken, T> prepare, CancellationToken cancellationToken)
        {
            (_prepare, _cancellationToken) = (prepare, cancellationToken);
            _cancelled = cancellationToken.UnsafeRegister(
                static (result, token) => ((TaskCompletionSource<T>)result!).TrySetCanceled(token), _result);
        }

        public Task<T> Result => _result.Task;

        public override void Run()
        {
            try
            {
                if (!_cancellationToken.IsCancellationRequested)
                {
                    _result.TrySetResult(_prepare(_cancellationToken));
                }
            }
            catch (OperationCanceledException e)
            {
                _result.TrySetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                // Every kind of failure is for the caller to handle; the thread continues with the next item.
                _result.TrySetException(e);
            }
            finally
            {
                _cancelled.Dispose();
            }
        }
    }
}
