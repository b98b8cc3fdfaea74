using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using AgentPlatform.Api.Answers;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Stopping;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Api.Chat;

/// <summary>The surface allocates for a stream, but not for its tokens.</summary>
public sealed class StreamAllocationTests
{
    private static readonly ReplyPart _token = FakeInference.Text("token");

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_streamed_token_allocates_nothing(bool waits, bool traced)
    {
        await using var services = new ServiceCollection().AddMetrics()
            .AddSingleton<InferenceMetrics>().AddSingleton<InferenceSpans>().AddOptions().BuildServiceProvider();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => traced && source.Name == InferenceMetrics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        const int Tokens = 20_000;
        await BytesAsync(services, Tokens, waits);
        var few = await BytesAsync(services, 100, waits);
        var many = await BytesAsync(services, Tokens, waits);

        // What a stream costs differs by a little each time; a single object per token would be 480,000 bytes.
        Assert.InRange(many - few, -20_000, 20_000);
    }

    private static async Task<long> BytesAsync(IServiceProvider services, int tokens, bool waits)
    {
        SynchronizationContext.SetSynchronizationContext(null); // A server has none; xunit's would move the stream to other threads.
        var inference = new Tokens(tokens, waits);
        using var drain = new DrainClock(
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), Options.Create(new StoppingOptions()), TimeProvider.System);
        var call = new InferenceCall(
            Options.Create(new InferenceApiOptions()), drain, services.GetRequiredService<InferenceMetrics>(),
            services.GetRequiredService<InferenceSpans>(), TimeProvider.System, NullLogger<InferenceCall>.Instance);
        var route = new ModelRoute(new ModelInfo("tiny", [Operation.Chat], "tests"), Version: "1", inference);
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new Sink());
        using var deadline = call.StartDeadline(context);
        var request = new InferenceRequest
        {
            RequestId = Guid.NewGuid(),
            Model = "tiny",
            Operation = Operation.Chat,
            Stream = true,
            Deadline = deadline.At,
            Body = default,
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        var running = call.StreamAsync(context, route, request, includeUsage: true, deadline);
        while (!running.IsCompleted)
        {
            inference.Release(); // Continues the stream on this thread.
        }

        await running;
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>An answer that is there at once, or of which each part has to be waited for.</summary>
    private sealed class Tokens(int count, bool waits)
        : IInference, IAsyncEnumerable<ReplyPart>, IAsyncEnumerator<ReplyPart>, IValueTaskSource<bool>
    {
        private ManualResetValueTaskSourceCore<bool> _next;
        private int _given;

        public ReplyPart Current => _given <= count ? _token : FakeInference.End();

        public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) => this;

        public IAsyncEnumerator<ReplyPart> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        public ValueTask<bool> MoveNextAsync()
        {
            _given++;
            if (!waits)
            {
                return new ValueTask<bool>(true);
            }

            _next.Reset();
            return new ValueTask<bool>(this, _next.Version);
        }

        public void Release() => _next.SetResult(true);

        public ValueTask DisposeAsync() => default;

        bool IValueTaskSource<bool>.GetResult(short token) => _next.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _next.GetStatus(token);

        void IValueTaskSource<bool>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _next.OnCompleted(continuation, state, token, flags);
    }

    /// <summary>A response that goes nowhere.</summary>
    private sealed class Sink : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly byte[] _buffer = new byte[64 * 1024];

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

        public override Span<byte> GetSpan(int sizeHint = 0) => _buffer;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
