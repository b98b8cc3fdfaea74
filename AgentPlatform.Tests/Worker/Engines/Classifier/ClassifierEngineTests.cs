using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Worker.Weights;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Classifier;
using AgentPlatform.Worker.Engines.Onnx;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker.Engines.Classifier;

public sealed class ClassifierEngineTests
{
    private static readonly string[] _texts = ["I love this phone", "The train leaves at nine", "Worst service I ever had", "ok", "😀😀😀"];

    [Fact]
    public async Task A_text_is_answered_with_a_sentiment_and_a_confidence()
    {
        await using var engine = await LoadAsync();
        var answer = await AskAsync(engine, "I love this phone, best purchase of the year!");
        using var json = JsonDocument.Parse(answer);
        Assert.Equal("Positive", json.RootElement.GetProperty("sentiment").GetString());
        Assert.InRange(json.RootElement.GetProperty("confidence").GetDouble(), 1d / 3, 1);
        Assert.Equal(2, json.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public async Task Many_at_once_get_the_answers_that_each_gets_alone()
    {
        await using var engine = await LoadAsync();
        var alone = new Dictionary<string, string>();
        foreach (var text in _texts)
        {
            alone[text] = await AskAsync(engine, text);
        }

        var together = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => AskAsync(engine, _texts[i % _texts.Length])));
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(Sentiment(alone[_texts[i % _texts.Length]]), Sentiment(together[i])));
    }

    [Fact]
    public async Task A_request_without_text_is_refused_naming_the_field()
    {
        await using var engine = await LoadAsync();
        var error = await engine.RunAsync(Requests.Create(Operation.Analyze, body: """{"txt":"x"}"""), CancellationToken.None)
            .FailureAsync();
        Assert.Equal((400, "text"), (error.Status, error.Param));
    }

    [Theory]
    [InlineData(null, "Model:Source")]
    [InlineData("no-such-folder", "no-such-folder")]
    public async Task A_missing_model_is_a_sentence_that_says_what_is_missing(string? source, string named)
    {
        await using var engine = Create(source);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => engine.LoadAsync(CancellationToken.None));
        Assert.True(error is EngineLoadException or WeightsException, $"{error}");
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    private static async Task<ClassifierEngine> LoadAsync()
    {
        var engine = Create(Path.Combine(Repository.Root, "models", "sentiment"));
        await engine.LoadAsync(CancellationToken.None);
        await engine.WarmUpAsync(CancellationToken.None);
        return engine;
    }

    private static ClassifierEngine Create(string? source) => new(
        ModelFolders.At(source), Options.Create(new OnnxOptions()), Options.Create(new BatchingOptions { MaxBatchSize = 8 }),
        Preparations.Create(), TimeProvider.System,
        Meters.OfBatching());

    private static async Task<string> AskAsync(ClassifierEngine engine, string text)
    {
        var parts = await engine.RunAsync(Requests.Create(Operation.Analyze, body: JsonSerializer.Serialize(new { text })),
            CancellationToken.None).ReadAsync();
        return Assert.Single(parts)["Result ".Length..];
    }

    private static string? Sentiment(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("sentiment").GetString();
    }
}
