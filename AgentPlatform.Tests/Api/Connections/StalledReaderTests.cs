using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Connections;

/// <summary>A client that asks for a stream and does not read it must not keep the engine.</summary>
public sealed class StalledReaderTests
{
    private const string Streamed = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task It_is_left_at_its_deadline()
    {
        await using var host = await ApiHost.StartAsync(("Api:StallTimeout", "00:05:00"), ("Api:MinDataRate", "1"));
        var answer = new EndlessAnswer();
        host.Inference.Answer = (_, token) => answer.RunAsync(token);
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!, receiveBuffer: 4096);
        await connection.PostAsync("/v1/chat/completions", Streamed, "x-request-timeout: 10");
        await answer.BlockedAsync();
        Assert.False(answer.Left.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(10));
        await answer.Left.WaitAsync(_limit);
    }

    [Fact]
    public async Task It_is_left_before_that_once_it_has_read_too_little_for_too_long()
    {
        await using var host = await ApiHost.StartAsync(("Api:StallTimeout", "00:00:01.100"), ("Api:MinDataRate", "1048576"));
        var answer = new EndlessAnswer();
        host.Inference.Answer = (_, token) => answer.RunAsync(token);
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!, receiveBuffer: 4096);
        await connection.PostAsync("/v1/chat/completions", Streamed);
        await answer.Left.WaitAsync(_limit);
        await Wait.UntilAsync(() => host.Get<AgentPlatform.Api.Requests.RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task Its_whole_answer_is_not_kept_either()
    {
        await using var host = await ApiHost.StartAsync(("Api:StallTimeout", "00:00:01.100"), ("Api:MinDataRate", "1048576"));
        host.Inference.Answer = (_, _) => Parts(Result($$"""{"choices":[],"pad":"{{new string('x', 32 * 1024 * 1024)}}"}"""));
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!, receiveBuffer: 4096);
        await connection.PostAsync("/invoke", """{"messages":[{"role":"user","content":"Hi"}]}""");
        await Wait.UntilAsync(() => host.Inference.Requests.Count == 1);
        await Wait.UntilAsync(() => host.Get<AgentPlatform.Api.Requests.RequestBodies>().Held == 0);
        Assert.True((await connection.ReadToEndAsync()).IsReset);
    }

    /// <summary>An answer without an end, of which a part is made when the one before is sent.</summary>
    private sealed class EndlessAnswer
    {
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ReplyPart _part = Text(new string('x', 16 * 1024));
        private int _made;

        /// <summary>Ends when the answer is given up, which is when a slot would be free.</summary>
        public Task Left => _left.Task;

        /// <summary>Waits until nothing more is taken.</summary>
        public async Task BlockedAsync()
        {
            var (seen, still) = (0, 0);
            await Wait.UntilAsync(() =>
            {
                var made = Volatile.Read(ref _made);
                still = made > 0 && made == seen ? still + 1 : 0;
                seen = made;
                return Task.FromResult(still >= 20);
            });
        }

        public async IAsyncEnumerable<ReplyPart> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            try
            {
                while (true)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    await Task.Yield();
                    Interlocked.Increment(ref _made);
                    yield return _part;
                }
            }
            finally
            {
                _left.SetResult();
            }
        }
    }
}
