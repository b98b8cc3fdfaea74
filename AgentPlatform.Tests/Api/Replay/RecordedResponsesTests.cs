using AgentPlatform.Api.Replay;
using AgentPlatform.Messaging.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Api.Replay;

public sealed class RecordedResponsesTests
{
    private static readonly TimeSpan _kept = TimeSpan.FromMinutes(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_oldest_finished_ones_lose_their_bytes_and_their_retries_are_told_so()
    {
        var responses = Create(new ReplayOptions { MaxResponseSize = 64 * 1024, MaxTotalSize = 150 * 1024 });
        using (Finished(responses, "a", 40_000))
        {
            Finished(responses, "b", 40_000).Dispose();
            Finished(responses, "c", 40_000).Dispose();

            // a is the oldest, but somebody reads it.
            Assert.Equal("response_not_kept", Failure(() => Claim(responses, "b")).Code);
            Open(responses, "a").Dispose();
        }

        Finished(responses, "d", 40_000).Dispose();
        Assert.Equal("response_not_kept", Failure(() => Claim(responses, "a")).Code);
        Open(responses, "c").Dispose();
        Open(responses, "d").Dispose();
        Assert.True(responses.HasRoom);

        _time.Advance(_kept);
        Assert.Equal((0, 0), (responses.Count, responses.Charged));
    }

    [Fact]
    public void Where_there_are_too_many_the_oldest_finished_one_is_forgotten_and_without_one_there_is_no_room()
    {
        var responses = Create(new ReplayOptions { MaxResponses = 2 });
        Finished(responses, "a", 10).Dispose();
        var (running, _) = Claim(responses, "b");
        var (another, fresh) = Claim(responses, "c");
        Assert.NotNull(fresh);
        Assert.Equal(503, Failure(() => Claim(responses, "a")).Status);
        responses.Finish(fresh);
        Assert.NotNull(Claim(responses, "a").Fresh);
        running.Dispose();
        another.Dispose();
    }

    [Fact]
    public void A_response_that_is_too_large_is_complete_for_its_readers_and_not_kept()
    {
        var responses = Create(new ReplayOptions { MaxResponseSize = 64 * 1024 });
        using (var reader = Finished(responses, "a", 70_000))
        {
            var read = 0;
            while (reader.Read(out var bytes, out _) == LogState.Bytes)
            {
                read += bytes.Length;
            }

            Assert.Equal(70_000, read);
            Assert.Equal("response_not_kept", Failure(() => Claim(responses, "a")).Code);
            Assert.InRange(responses.Charged, 70_000, 200_000);
        }

        Assert.Equal((1, 0), (responses.Count, responses.Charged));
    }

    [Fact]
    public void A_run_without_readers_is_abandoned_when_its_time_is_over_and_not_if_one_comes_back()
    {
        var responses = Create(new ReplayOptions());
        var (first, run) = responses.Claim(["a"], "", _kept, TimeSpan.FromMinutes(1));
        first.Dispose();
        _time.Advance(TimeSpan.FromSeconds(59));
        var second = Open(responses, "a");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(run!.Abandoned.IsCancellationRequested);
        second.Dispose();
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(run.Abandoned.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(run.Abandoned.IsCancellationRequested);
        Assert.Equal(0, responses.Count);
    }

    private RecordedResponses Create(ReplayOptions options) => new(Options.Create(options), _time);

    private static (ResponseReader Reader, RecordedResponse? Fresh) Claim(RecordedResponses responses, string name) => responses.Claim([name], "", _kept, Timeout.InfiniteTimeSpan);

    private static ResponseReader Open(RecordedResponses responses, string name)
    {
        var (reader, fresh) = Claim(responses, name);
        Assert.Null(fresh);
        return reader;
    }

    private static ResponseReader Finished(RecordedResponses responses, string name, int size)
    {
        var (reader, fresh) = Claim(responses, name);
        var log = fresh!.Log!;
        log.Start(200, new HeaderDictionary());
        for (var left = size; left > 0; left -= 1000)
        {
            var piece = Math.Min(left, 1000);
            log.GetMemory(piece);
            log.Advance(piece);
        }

        log.Publish();
        responses.Finish(fresh);
        log.Complete(isBroken: false);
        return reader;
    }

    private static InferenceError Failure(Action act) => Assert.Throws<InferenceException>(act).Error;
}
