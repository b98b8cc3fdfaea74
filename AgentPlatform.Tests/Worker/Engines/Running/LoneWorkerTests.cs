using System.Net;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Tests.Worker.Engines.Running;

/// <summary>Workers as containers of their own, without a broker.</summary>
public sealed class LoneWorkerTests
{
    [Fact]
    public async Task A_lone_worker_streams_and_answers_over_http_and_another_can_stand_before_it()
    {
        await using var engine = ServiceProcess.Worker(
            "Engine:Type=simulated", "Model:Name=tiny", "Simulated:AnswerTokens=6", "Simulated:TimeToFirstToken=00:00:00");
        var server = await engine.ReadyAsync();
        await using var front = ServiceProcess.Worker(
            "Engine:Type=openai", "Model:Name=front", $"OpenAI:Endpoint={server}v1", "OpenAI:UpstreamModel=tiny");
        var address = await front.ReadyAsync();

        foreach (var (worker, model) in new[] { (server, "tiny"), (address, "front") })
        {
            using var http = new HttpClient { BaseAddress = worker };
            Assert.Equal("AI Agent Microservice is running.", await http.GetStringAsync(new Uri("/", UriKind.Relative)));

            var (status, stream) = await PostAsync(
                http, "/v1/chat/completions", $$$"""{"model":"{{{model}}}","stream":true,"messages":[{"role":"user","content":"hi"}]}""");
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
            Assert.Contains("simulated", stream, StringComparison.Ordinal);

            var (_, whole) = await PostAsync(http, "/invoke", """{"messages":[{"role":"user","content":"hi"}]}""");
            using var completion = JsonDocument.Parse(whole);
            Assert.StartsWith(
                "This answer is simulated:",
                completion.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(),
                StringComparison.Ordinal);
            Assert.Equal(6, completion.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        }

        using var models = new HttpClient { BaseAddress = server };
        Assert.Contains(
            "Simulated", await models.GetStringAsync(new Uri("/v1/models", UriKind.Relative)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_the_model_cannot_do_is_a_bad_request_that_names_the_model_field()
    {
        await using var worker = await ServiceHost.WorkerAsync(new ScriptedEngine(AgentPlatform.Inference.Operation.Analyze));
        await worker.ReadyAsync();
        var (status, body) = await PostAsync(
            worker.Http, "/v1/chat/completions", """{"model":"m","messages":[{"role":"user","content":"hi"}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        using var error = JsonDocument.Parse(body);
        Assert.Equal("model", error.RootElement.GetProperty("error").GetProperty("param").GetString());
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(HttpClient http, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
