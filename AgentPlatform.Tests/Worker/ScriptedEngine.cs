using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using AgentPlatform.Inference;
using AgentPlatform.Worker.Engines;

namespace AgentPlatform.Tests.Worker;

/// <summary>An engine that does in each run what its test says, and tells the test when a run begins.</summary>
internal sealed class ScriptedEngine(params Operation[] operations) : IEngine
{
    private readonly Channel<Run> _runs = Channel.CreateUnbounded<Run>();

    public EngineTraits Traits { get; init; } = new(operations.Length > 0 ? operations : [Operation.Chat], Slots: 2) { Replayable = true };

    /// <summary>What loading waits for.</summary>
    public Task Load { get; init; } = Task.CompletedTask;

    public bool IsWarm { get; private set; }

    public Task LoadAsync(CancellationToken cancellationToken) => Load.WaitAsync(cancellationToken);

    public Task WarmUpAsync(CancellationToken cancellationToken)
    {
        IsWarm = true;
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Assert.True(IsWarm);
        var run = new Run(request);
        _runs.Writer.TryWrite(run);
        try
        {
            await foreach (var part in run.Parts.Reader.ReadAllAsync(cancellationToken))
            {
                yield return part;
            }
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested)
            {
                run.Cancelled.TrySetResult();
            }
        }
    }

    /// <summary>The next run that begins.</summary>
    public Task<Run> NextAsync() => _runs.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));

    /// <summary>Whether a run has begun that the test has not taken.</summary>
    public bool HasNext => _runs.Reader.TryPeek(out _);

    /// <summary>One request in the engine; the test gives its parts.</summary>
    internal sealed record Run(InferenceRequest Request)
    {
        public Channel<ReplyPart> Parts { get; } = Channel.CreateUnbounded<ReplyPart>();

        public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Give(ReplyKind kind, string payload = "") =>
            Parts.Writer.TryWrite(new ReplyPart(kind, Encoding.UTF8.GetBytes(payload)));

        public void Fail(Exception e) => Parts.Writer.Complete(e);

        public void StopShort() => Parts.Writer.Complete();
    }
}
