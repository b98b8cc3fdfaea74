using System.Net;
using System.Text;
using AgentPlatform.Inference;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Batches;

public sealed class BatchTests
{
    [Fact]
    public async Task Batch_MixedItems_AnswersInOrderWithErrorsInPlace()
    {
        await using var host = await ApiHost.StartAsync();
        var last = new TaskCompletionSource();
        host.Inference.Answer = (request, token) =>
        {
            var text = Encoding.UTF8.GetString(request.Body.Span);
            if (text.Contains("third", StringComparison.Ordinal))
            {
                last.SetResult();
            }

            return text.Contains("fails", StringComparison.Ordinal)
                ? FailAfter(InferenceError.EngineFailed("Broke."))
                : request.Operation == Operation.Analyze
                ? Gated(last.Task, [], [Result("""{"sentiment":"Positive","confidence":1}""")], token)
                : Gated(last.Task, [], [Result($$"""{"choices":["{{request.Model}}"]}""")], token);
        };
        using var response = await host.PostAsync("/batch", """
            [{"messages":[{"role":"user","content":"first"}]}, {"text":"fails"}, {"messages":[]},
             {"model":"org/big","text":"x","messages":[{"role":"user","content":"second"}]}, {"text":"third"}]
            """);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var json = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var items = json.RootElement.EnumerateArray().ToList();
        Assert.Equal(5, items.Count);
        Assert.Equal(
            ("chat.completion", "tiny"), (items[0].GetProperty("object").GetString(), items[0].GetProperty("choices")[0].GetString()));
        Assert.Equal("Broke.", items[1].GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("messages", items[2].GetProperty("error").GetProperty("param").GetString());
        Assert.Equal("org/big", items[3].GetProperty("model").GetString());
        Assert.Equal("Positive", items[4].GetProperty("sentiment").GetString());
        Assert.Equal(4, host.Inference.Requests.Select(request => request.RequestId).Distinct().Count());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[")]
    [InlineData("[{},{},{}]")]
    public async Task Batch_ThatIsNone_IsAProblem(string body)
    {
        await using var host = await ApiHost.StartAsync(("Api:MaxBatchItems", "2"));
        using var response = await host.PostAsync("/batch", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Batch_Empty_IsEmpty()
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync("/batch", "[]");
        Assert.Equal("[]", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Invoke_WithoutModel_IsAnsweredByTheFirstThatChats()
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync("/invoke", """{"messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Contains(
            "\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"tiny\",\"choices\":[]}",
            await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var stream = await host.PostAsync("/invoke", """{"stream":true,"messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, stream.StatusCode);
    }

    [Fact]
    public async Task Analyze_GivesTheEnginesAnswer()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Result("""{"sentiment":"Neutral","confidence":0.5}"""));
        using var response = await host.PostAsync("/analyze", """{"text":"Hi"}""");
        Assert.Equal("""{"sentiment":"Neutral","confidence":0.5}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(("mood", Operation.Analyze), (host.Inference.Requests.Single().Model, host.Inference.Requests.Single().Operation));
    }

    [Fact]
    public async Task RootModelsAndDescription_AreServed()
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Equal("AI Agent Microservice is running.", await host.Client.GetStringAsync(new Uri("/", UriKind.Relative)));
        Assert.Contains(
            "\"id\":\"org/big\"", await host.Client.GetStringAsync(new Uri("/v1/models", UriKind.Relative)), StringComparison.Ordinal);
        Assert.StartsWith(
            "{\"id\":\"org/big\",\"object\":\"model\"", await host.Client.GetStringAsync(new Uri("/v1/models/org/big", UriKind.Relative)),
            StringComparison.Ordinal);
        var description = await host.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative));
        Assert.Contains("max_completion_tokens", description, StringComparison.Ordinal);
        Assert.Contains("Idempotency-Key", description, StringComparison.Ordinal);
        var explorer = await host.Client.GetStringAsync(new Uri("/scalar/", UriKind.Relative));
        Assert.DoesNotContain("//", explorer.Replace("<!--", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True((await host.Client.GetByteArrayAsync(new Uri("/scalar/scalar.js", UriKind.Relative))).Length > 100_000);
    }
}
