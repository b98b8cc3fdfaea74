using AgentPlatform.Benchmarks.Processes;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Benchmarks;

/// <summary>What gateway and worker have done.</summary>
internal sealed record PlatformCounts(ProcessCounts Gateway, ProcessCounts Worker);

/// <summary>One gateway and one worker as processes of their own, serving the model <c>noop</c> by the simulated engine.</summary>
internal sealed class Platform(int port, ChildProcess gateway, ChildProcess worker) : IAsyncDisposable
{
    /// <summary>The gateway's.</summary>
    public int Port => port;

    public static async Task<Platform> StartAsync(
        string connectionString, TimeSpan timePerToken, int slots, CancellationToken cancellationToken)
    {
        var (port, version) = (RabbitMQNode.FreePort(), Guid.NewGuid().ToString("N"));
        var common = new Dictionary<string, string>
        {
            ["ConnectionStrings__messaging"] = connectionString,
            ["Logging__LogLevel__Default"] = "Warning",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };
        var worker = await ChildProcess.StartAsync("worker", RabbitMQNode.FreePort(), new Dictionary<string, string>(common)
        {
            ["Model__Name"] = "noop",
            ["Model__Version"] = version,
            ["Engine__Type"] = "simulated",
            ["Engine__Slots"] = $"{slots}",
            ["Simulated__TimeToFirstToken"] = "00:00:00",
            ["Simulated__TimePerToken"] = $"{timePerToken}",
            ["Simulated__BatchSlope"] = "0",

            // As long as max_tokens says.
            ["Simulated__AnswerTokens"] = "1000000",
        }, cancellationToken);
        var gateway = await ChildProcess.StartAsync("gateway", port, new Dictionary<string, string>(common)
        {
            ["Models__0__Name"] = "noop",
            ["Models__0__Version"] = version,
            ["Models__0__Operations__0"] = "Chat",
        }, cancellationToken);
        return new Platform(port, gateway, worker);
    }

    public async Task<PlatformCounts> CountAsync() => new(await gateway.CountAsync(), await worker.CountAsync());

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await worker.DisposeAsync();
    }
}
