using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Benchmarks.Peers;

/// <summary>An inference server that costs nothing, for the peers to stand in front of: it answers a fixed chat completion.</summary>
internal static class Upstream
{
    private static readonly byte[] _answer = """
        {"id":"chatcmpl-0","object":"chat.completion","created":1700000000,"model":"noop",
        "choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}
        """u8.ToArray();

    public static Task RunAsync(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapGet("/health", () => "ok");
        app.MapPost("/v1/chat/completions", async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = _answer.Length;
            await context.Response.Body.WriteAsync(_answer);
        });
        return app.RunAsync();
    }
}
