using System.Net;
using System.Text;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Gateway;

/// <summary>The gateway as a process that is told to stop.</summary>
public sealed class DrainTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Running_streams_are_finished_before_it_exits()
    {
        await using var upstream = await UpstreamServer.StartAsync();
        var gate = new TaskCompletionSource();
        upstream.Answer = async (context, body) =>
        {
            await UpstreamServer.Stream("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n")(context, body);
            await gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync(
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        };
        await using var gateway = ServiceProcess.Gateway(
            "Models:0:Name=tiny", "Models:0:Transport=openai", $"Models:0:Endpoint={upstream.Address}v1", "Stopping:ListenTime=00:00:05");
        using var http = new HttpClient { BaseAddress = await gateway.ReadyAsync() };
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/chat/completions", UriKind.Relative))
        {
            Content = new StringContent(
                """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""", Encoding.UTF8, "application/json"),
        };
        using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead).WaitAsync(_limit);

        gateway.Terminate();
        await Wait.UntilAsync(async () =>
        {
            using var health = await http.GetAsync(new Uri("/health", UriKind.Relative));
            return health.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync().WaitAsync(_limit), StringComparison.Ordinal);
        Assert.Equal((0, ""), await gateway.EndAsync());
    }
}
