namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>Clients that ask for far more than they read: 1 KB/s of a stream of 64 choices.</summary>
internal static class SlowClients
{
    private const int BytesPerSecond = 1024;

    /// <summary>What they ask.</summary>
    public static ChaosRequest Request { get; } = ChaosRequest.Stream("Tell me a long story, I read slowly.", tokens: 400, choices: 64);

    /// <summary>Asks and reads slowly for a while, then leaves.</summary>
    /// <returns>Whether what it read is right, however its stream ended.</returns>
    public static async Task<bool> ReadAsync(ChaosRun run, TimeSpan length)
    {
        using var leave = new CancellationTokenSource(length, TimeProvider.System);
        return run.IsRight(
            Request, await run.Client.AskAsync(Request, new ClientManner(BytesPerSecond: BytesPerSecond, Leave: leave.Token)));
    }
}
