using AgentPlatform.Benchmarks.Engines;
using AgentPlatform.Benchmarks.Load;
using AgentPlatform.Benchmarks.Peers;
using AgentPlatform.Benchmarks.Processes;
using AgentPlatform.Benchmarks.RoundTrip;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Benchmarks;

/// <summary>
/// Runs the parts one after another, engines in this process and the platform on a broker of its own, and prints each figure as a ratio
/// to a baseline of the same run.
/// </summary>
internal sealed class Suite(BenchmarkOptions options)
{
    private const string Chat = """{"model":"noop","messages":[{"role":"user","content":"Say ok."}],"max_tokens":1}""";

    private static readonly int[] _callers = [1, 16, 128];
    private readonly Dictionary<int, LoadResult> _bare = [];

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Console.WriteLine(
            $"{Environment.ProcessorCount} processors, .NET {Environment.Version}, {options.Measure.TotalSeconds:0} s a figure");
        var isComplete = true;
        if (options.Runs("classifier"))
        {
            isComplete &= EngineBenchmarks.Run<ClassifierBatching>("onnx-classifier: models/sentiment, 16 callers in one process");
        }

        if (options.Runs("chat"))
        {
            isComplete &= EngineBenchmarks.Run<ChatBatching>(ChatBatching.Heading);
        }

        if (options.Only is null || BenchmarkOptions.Loads.Contains(options.Only))
        {
            await WithBrokerAsync(cancellationToken);
        }

        return isComplete ? 0 : 1;
    }

    private async Task WithBrokerAsync(CancellationToken cancellationToken)
    {
        await using var broker = new RabbitMQNode();
        await broker.StartAsync();
        await BareAsync(broker, cancellationToken);
        if (options.Runs("platform"))
        {
            await PlatformAsync(broker, cancellationToken);
        }

        if (options.Runs("peers"))
        {
            await PeersAsync(cancellationToken);
        }

        if (options.Runs("stream"))
        {
            await StreamAsync(broker, 100, cancellationToken);
            await StreamAsync(broker, 1000, cancellationToken);
        }
    }

    private async Task BareAsync(RabbitMQNode broker, CancellationToken cancellationToken)
    {
        Report.Heading("Bare round trip: RabbitMQ.Client, quorum queue out, classic queue back, 300 bytes");
        await using var roundTrip = await BareRoundTrip.StartAsync(broker.ConnectionString, cancellationToken);
        foreach (var callers in _callers)
        {
            _bare[callers] = await LoadResult.MeasureAsync(
                callers, options.Measure, (_, token) => roundTrip.CallAsync(token), cancellationToken);
            Report.Load("bare", _bare[callers], baseline: null);
        }
    }

    private async Task PlatformAsync(RabbitMQNode broker, CancellationToken cancellationToken)
    {
        Report.Heading("Platform: HTTP, gateway, RabbitMQ, worker with a no-op engine, and back");
        await using var platform = await Platform.StartAsync(
            broker.ConnectionString, timePerToken: TimeSpan.Zero, slots: 256, cancellationToken);
        foreach (var callers in _callers)
        {
            var before = await platform.CountAsync();
            var result = await HttpAsync(platform.Port, callers, "", cancellationToken);
            var after = await platform.CountAsync();
            Report.Load("platform", result, _bare[callers]);
            Report.Costs(before, after, result.Requests, "request");
        }

        using var caller = new HttpCaller(platform.Port, "/v1/chat/completions", Chat.Replace(
            "\"max_tokens\"", "\"stream\":true,\"max_tokens\"", StringComparison.Ordinal));
        var stream = await StreamLoad.MeasureAsync([caller], platform, options.Measure / 3, options.Measure, cancellationToken);
        Report.Line(
            "added time to first token, 1 caller", $"p50 {LoadResult.Percentile(stream.FirstTokens, 0.5):0.00} ms",
            LoadResult.Percentile(stream.FirstTokens, 0.5) / _bare[1].P50);
    }

    private async Task PeersAsync(CancellationToken cancellationToken)
    {
        Report.Heading("Peers without a queue, in front of an equally fast upstream");
        var (upstreamPort, yarpPort, portkeyPort) = (RabbitMQNode.FreePort(), RabbitMQNode.FreePort(), RabbitMQNode.FreePort());
        await using var upstream = await ChildProcess.StartAsync(
            "upstream", upstreamPort, new Dictionary<string, string>(), cancellationToken);
        await using (await ChildProcess.StartAsync(
            "yarp", yarpPort, new Dictionary<string, string> { [YarpProxy.UpstreamVariable] = $"http://127.0.0.1:{upstreamPort}" },
            cancellationToken))
        {
            foreach (var callers in _callers)
            {
                Report.Load("yarp", await HttpAsync(yarpPort, callers, "", cancellationToken), _bare[callers]);
            }
        }

        await using var portkey = await Portkey.StartAsync(portkeyPort, cancellationToken);
        foreach (var callers in portkey is null ? [] : _callers)
        {
            Report.Load("portkey", await HttpAsync(portkeyPort, callers, Portkey.Headers(upstreamPort), cancellationToken), _bare[callers]);
        }
    }

    private async Task StreamAsync(RabbitMQNode broker, int streams, CancellationToken cancellationToken)
    {
        var step = TimeSpan.FromMilliseconds(20);
        Report.Heading($"Streaming: {streams:N0} streams of 50 tokens/s");
        await using var platform = await Platform.StartAsync(broker.ConnectionString, step, slots: streams, cancellationToken);
        // Answers longer than the run: what is measured is the steady state, without beginnings and ends.
        var warmUp = TimeSpan.FromSeconds(5);
        var tokens = (int)((warmUp + options.Measure).TotalSeconds * 50 * 2);
        var callers = Enumerable.Range(0, streams)
            .Select(_ => new HttpCaller(
                platform.Port, "/v1/chat/completions",
                $$"""{"model":"noop","messages":[{"role":"user","content":"Tell a story."}],"stream":true,"max_tokens":{{tokens}}}"""))
            .ToList();
        var load = await StreamLoad.MeasureAsync(callers, platform, warmUp, options.Measure, cancellationToken);
        callers.ForEach(caller => caller.Dispose());

        var added = LoadResult.Percentile(load.Gaps, 0.99) - step.TotalMilliseconds;
        Report.Line("rate", $"{load.Tokens / options.Measure.TotalSeconds:N0} tokens/s of {streams * 50:N0}", null);
        Report.Line(
            "added inter-token time", $"p50 {LoadResult.Percentile(load.Gaps, 0.5) - step.TotalMilliseconds:0.0} ms, p99 {added:0.0} ms",
            null);
        Report.Costs(load.Before, load.After, load.Tokens, "token");
    }

    private async Task<LoadResult> HttpAsync(int port, int callers, string headers, CancellationToken cancellationToken)
    {
        var connections = Enumerable.Range(0, callers).Select(_ => new HttpCaller(port, "/v1/chat/completions", Chat, headers)).ToList();
        try
        {
            return await LoadResult.MeasureAsync(
                callers, options.Measure, (caller, token) => connections[caller].PostAsync(token), cancellationToken);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }
}
