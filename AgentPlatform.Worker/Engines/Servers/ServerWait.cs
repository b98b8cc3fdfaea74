namespace AgentPlatform.Worker.Engines.Servers;

/// <summary>Waits for a server that an engine needs, as long as it takes: a large model is loaded for minutes.</summary>
internal sealed partial class ServerWait(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    /// <summary>How long a server of a model may take to say whether it is ready.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Asks once a second until the server is ready, and logs why it is not, once for each reason.</summary>
    /// <param name="server">What it is, for the log: <c>the server</c>.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="ask">
    /// Asks it; gives why it is not ready, or null. Its exceptions end the wait, unless the server cannot be reached.
    /// </param>
    /// <param name="patience">How long one question may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task UntilReadyAsync(
        string server, Uri address, Func<CancellationToken, Task<string?>> ask, TimeSpan patience, CancellationToken cancellationToken)
    {
        string? reported = null;
        while (await AskAsync(ask, patience, cancellationToken) is { } reason)
        {
            if (reason != reported)
            {
                ServerAway(logger, server, address, reason);
                reported = reason;
            }

            await Task.Delay(_pause, time, cancellationToken);
        }
    }

    private async Task<string?> AskAsync(Func<CancellationToken, Task<string?>> ask, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await ask(either.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "it does not answer";
        }
    }

    [LoggerMessage(LogLevel.Warning, "Waiting for {Server} at {Address}: {Reason}")]
    private static partial void ServerAway(ILogger logger, string server, Uri address, string reason);
}
