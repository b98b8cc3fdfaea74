using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.AppHost;

/// <summary>The routes that are not OpenAI's, through the queues of both pools.</summary>
[Trait("Category", "AppHost")]
[Collection(ApplicationGroup.Name)]
public class QueueTests(ApplicationFixture platform) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = platform.Gateway };

    [Fact]
    public async Task Models_Listed_AreThePoolsOfTheTopology()
    {
        var models = await _http.GetFromJsonAsync<JsonNode>("v1/models");

        Assert.Equal(["sentiment", "tiny-chat"], models!["data"]!.AsArray().Select(model => (string)model!["id"]!).Order());
        Assert.Contains("Demonstration", models.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("I love this, it works great, thank you so much!", "Positive")]
    [InlineData("This is terrible, I hate it, worst purchase ever.", "Negative")]
    public async Task Analyze_ClearComment_IsTold(string text, string sentiment)
    {
        using var response = await _http.PostAsJsonAsync("analyze", new { text });

        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        var answer = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal(sentiment, (string?)answer["sentiment"]);
        Assert.InRange((double)answer["confidence"]!, 0, 1);
    }

    [Fact]
    public async Task Invoke_ChatRequest_IsAnsweredWhole()
    {
        using var response = await _http.PostAsJsonAsync(
            "invoke", new { messages = new[] { new { role = "user", content = "How do I plug in vLLM?" } } });

        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        var answer = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal("stop", (string?)answer["choices"]![0]!["finish_reason"]);
        Assert.NotEmpty((string)answer["choices"]![0]!["message"]!["content"]!);
    }

    [Fact]
    public async Task Batch_OfBothKinds_IsAnsweredInOrderAndOneFailureStaysAlone()
    {
        JsonArray batch =
        [
            new JsonObject { ["text"] = "I love it" },
            new JsonObject { ["messages"] = "no messages" },
            new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }) },
        ];
        using var response = await _http.PostAsJsonAsync("batch", batch, JsonSerializerOptions.Web);

        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        var answers = (await response.Content.ReadFromJsonAsync<JsonArray>())!;
        Assert.Equal(3, answers.Count);
        Assert.NotNull(answers[0]!["sentiment"]);
        Assert.NotNull(answers[1]!["error"]);
        Assert.NotNull(answers[2]!["choices"]);
    }

    public void Dispose()
    {
        _http.Dispose();
        GC.SuppressFinalize(this);
    }
}
