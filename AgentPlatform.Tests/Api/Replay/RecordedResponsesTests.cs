using System.Diagnostics.Metrics;
using AgentPlatform.Api.Replay;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
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

    [Fact]
    public void What_is_on_record_what_was_replayed_and_what_had_no_room_is_measured()
    {
        var meters = Worker.Meters.Create();
        var measured = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name.StartsWith("agentplatform.replay.", StringComparison.Ordinal))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var name = $"{instrument.Name["agentplatform.replay.".Length..]} {(tags.Length > 0 ? tags[0].Value : "")}".TrimEnd();
            measured[name] = (instrument.IsObservable ? 0 : measured.GetValueOrDefault(name)) + value;
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();

        var responses = Create(new ReplayOptions { MaxResponseSize = 64 * 1024, MaxTotalSize = 100 * 1024, MaxResponses = 2 }, meters);
        Finished(responses, "large", 70_000).Dispose();
        Assert.Equal("response_not_kept", Failure(() => Claim(responses, "large")).Code);
        Assert.Equal("stream_expired", Failure(() => responses.Resume("large", 0, "")).Code);
        using var kept = Finished(responses, "kept", 10);
        Open(responses, "kept").Dispose();
        Open(responses, "kept").Dispose();
        Assert.Equal("response_too_large", Failure(() => responses.RequireRoom(70_000)).Code);
        responses.RequireRoom(10);

        // Two that run, larger than all may be together, and none whose place a third one could have.
        var running = new[] { Claim(responses, "a"), Claim(responses, "b") };
        _ = running.Select(run => run.Fresh!.Log!.GetMemory(60_000)).ToList();
        Assert.Equal(503, Failure(() => Claim(responses, "c")).Status);
        Assert.Equal(503, Failure(() => responses.RequireRoom(10)).Status);
        listener.RecordObservableInstruments();

        Assert.Equal(
            [
                ("refused dropped", 2), ("refused number", 1), ("refused response_size", 1), ("refused total_size", 1),
                ("replays key", 2), ("responses", 2), ("size", responses.Charged),
            ],
            measured.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.InRange(responses.Charged, 120_000, 130_000);
        Array.ForEach(running, run => run.Reader.Dispose());
    }

    private RecordedResponses Create(ReplayOptions options) => Create(options, Worker.Meters.Create());

    private RecordedResponses Create(ReplayOptions options, IMeterFactory meters) =>
        new(Options.Create(options), _time, new ReplayMetrics(meters));

    private static (ResponseReader Reader, RecordedResponse? Fresh) Claim(RecordedResponses responses, string name) =>
        responses.Claim([name], "", _kept, Timeout.InfiniteTimeSpan);

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
        log.Complete(isTruncated: false);
        return reader;
    }

    private static InferenceError Failure(Action act) => Assert.Throws<InferenceException>(act).Error;
}
