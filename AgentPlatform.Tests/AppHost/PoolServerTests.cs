using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Tests.Inference.OpenAI;
using AgentPlatform.Tests.Worker.Engines.Agent;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.AppHost;

/// <summary>A run that names a model server uses it instead of an embedded model, and for the agent of the worked example.</summary>
[Trait("Category", "AppHost")]
[Collection(ApplicationGroup.Name)]
public sealed class PoolServerTests
{
    private const string Comments = """{"comments":["I love this update!","This is terrible, it crashes all the time"]}""";

    [Fact]
    public async Task A_server_that_the_configuration_names_answers_for_the_embedded_model_and_for_the_agent()
    {
        await using var server = await UpstreamServer.StartAsync();
        server.Answer = AnswerAsync;
        await using var application = await TestApplication.StartAsync(
            $"--Pools:tiny-chat:Server={server.Address}v1", "--Pools:tiny-chat:UpstreamModel=other",
            "--Parameters:tiny-chat-api-key=sk-test", $"--Pools:llm:Server={server.Address}v1");
        using var http = new HttpClient { BaseAddress = application.Gateway, Timeout = TimeSpan.FromMinutes(2) };

        Assert.Equal("From the server.", await AskAsync(http, "tiny-chat"));
        Assert.Contains(server.Requests, request => request.Body.Contains("\"other\"", StringComparison.Ordinal));

        Assert.Equal("One loves it.", await AskAsync(http, "monitor"));
        Assert.Contains(server.Requests, request =>
            request.Body.Contains("\\\"positive\\\": 1", StringComparison.Ordinal)
            || request.Body.Contains("\\u0022positive\\u0022: 1", StringComparison.Ordinal));
    }

    private static async Task AnswerAsync(HttpContext context, string body)
    {
        if (context.Request.Path == "/v1/models")
        {
            await context.Response.WriteAsJsonAsync(new { data = Array.Empty<object>() });
            return;
        }

        using var request = JsonDocument.Parse(body);
        var answer = request.RootElement.GetProperty("model").GetString() == "other" ? ScriptedModel.Says("From the ", "server.")
            : body.Contains("\"role\":\"tool\"", StringComparison.Ordinal) ? ScriptedModel.Says("One loves it.")
            : ScriptedModel.Calls(("c1", "social_media_analyze_comments", Comments));
        await answer(context, body);
    }

    // A stream, since the server of this test only streams.
    private static async Task<string> AskAsync(HttpClient http, string model)
    {
        using var response = await http.PostAsJsonAsync(
            "v1/chat/completions", new { model, stream = true, messages = new[] { new { role = "user", content = "What do they say?" } } });
        var events = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, events);
        return string.Concat(events.Split('\n')
            .Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line["data: ".Length..])!["choices"]?.AsArray().FirstOrDefault())
            .Select(choice => (string?)choice?["delta"]?["content"]));
    }
}
