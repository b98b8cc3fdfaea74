using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Triton;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

/// <summary>Engines in front of an <see cref="InferenceServer"/>.</summary>
internal static class TritonEngines
{
    public static readonly string[] Labels = ["Negative", "Neutral", "Positive"];

    public static TritonEngine Create(Uri address, Action<TritonOptions>? configure = null, BatchingOptions? batching = null,
        TimeProvider? time = null, bool classifies = false)
    {
        var options = new TritonOptions { Endpoint = address.AbsoluteUri };
        foreach (var label in classifies ? Labels : [])
        {
            options.Labels.Add(label);
        }

        configure?.Invoke(options);
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
        return new TritonEngine(
            http, Options.Create(options), Options.Create(new ModelOptions { Name = "m" }),
            Options.Create(batching ?? new BatchingOptions()),
            Preparations.Create(), Meters.OfBatching(), time ?? TimeProvider.System, NullLogger<TritonEngine>.Instance);
    }

    public static async Task<TritonEngine> LoadAsync(
        InferenceServer server, Action<TritonOptions>? configure = null, BatchingOptions? batching = null, bool classifies = false)
    {
        var engine = Create(server.Address, configure, batching, classifies: classifies);
        await engine.LoadAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        return engine;
    }

    public static IAsyncEnumerable<ReplyPart> Analyze(
        this TritonEngine engine, string text, CancellationToken cancellationToken = default) =>
        engine.RunAsync(Requests.Create(Operation.Analyze, body: $$"""{"text":"{{text}}"}"""), cancellationToken);

    public static IAsyncEnumerable<ReplyPart> Chat(
        this TritonEngine engine, string more = "", bool stream = false, CancellationToken cancellationToken = default) =>
        engine.RunAsync(Requests.Create(stream: stream, body: $$"""{"messages":[{"role":"user","content":"Hi"}]{{more}}}"""),
            cancellationToken);

    /// <summary>The sentence with which loading ends.</summary>
    public static async Task<string> LoadFailureAsync(this TritonEngine engine, bool warmUp = false) =>
        (await Assert.ThrowsAsync<EngineLoadException>(async () =>
        {
            await engine.LoadAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
            if (warmUp)
            {
                await engine.WarmUpAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
            }
        })).Message;
}
