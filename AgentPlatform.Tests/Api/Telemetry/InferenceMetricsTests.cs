using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using AgentPlatform.Inference;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Telemetry;

public sealed class InferenceMetricsTests
{
    [Fact]
    public async Task Streams_are_measured_by_the_conventions_names()
    {
        var model = $"org/{Guid.NewGuid():N}"; // Other tests measure at the same time.
        var measured = new ConcurrentQueue<(string Name, string? Error)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name.StartsWith("gen_ai.server.", StringComparison.Ordinal))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string);
            if (all["gen_ai.request.model"] == model && all["gen_ai.operation.name"] == "chat")
            {
                measured.Enqueue((instrument.Name, all.GetValueOrDefault("error.type")));
            }
        });
        listener.Start();

        await using var host = await ApiHost.StartAsync();
        host.Inference.Models.Add(new(model, [Operation.Chat], "tests"));
        var body = $$"""{"model":"{{model}}","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
        host.Inference.Answer = (_, _) => Parts(Text("a"), Text("b"), End());
        (await host.PostAsync("/v1/chat/completions", body)).Dispose();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.Overloaded("Full.", 1));
        (await host.PostAsync("/v1/chat/completions", body)).Dispose();

        var began = TimeProvider.System.GetTimestamp();
        while (measured.Count < 4 && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(1))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }

        Assert.Equal(
        [
            ("gen_ai.server.time_to_first_token", null), ("gen_ai.server.time_per_output_token", null),
            ("gen_ai.server.request.duration", null), ("gen_ai.server.request.duration", "overloaded"),
        ], measured);
    }
}
