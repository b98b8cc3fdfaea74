namespace AgentPlatform.Benchmarks.Load;

/// <summary>What concurrent streams measured.</summary>
/// <param name="Streams">How many ran at once.</param>
/// <param name="Tokens">Events in the measured time.</param>
/// <param name="Gaps">Milliseconds between two events of a stream, ascending.</param>
/// <param name="FirstTokens">Milliseconds from a request to its first event, ascending.</param>
/// <param name="Before">What the processes had done when the measured time began.</param>
/// <param name="After">What they had done when it ended.</param>
internal sealed record StreamLoad(
    int Streams, long Tokens, double[] Gaps, double[] FirstTokens, PlatformCounts Before, PlatformCounts After)
{
    /// <summary>
    /// Keeps a stream running on each of <paramref name="callers"/>: a warm-up
    /// that is not counted, then the measured time, after which they are cut off.
    /// </summary>
    public static async Task<StreamLoad> MeasureAsync(
        IReadOnlyList<HttpCaller> callers, Platform platform, TimeSpan warmUp, TimeSpan measure, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var isMeasured = false;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var streams = callers.Select(LoopAsync).ToList();
        await Task.Delay(warmUp, time, cancellationToken);
        var before = await platform.CountAsync();
        Volatile.Write(ref isMeasured, true);
        await Task.WhenAny(Task.Delay(measure, time, cancellationToken), Task.WhenAll(streams));
        Volatile.Write(ref isMeasured, false);
        var after = await platform.CountAsync();
        await stop.CancelAsync();
        var results = await Task.WhenAll(streams);
        return new StreamLoad(
            callers.Count, results.Sum(found => found.Tokens),
            [.. results.SelectMany(found => found.Gaps).Order()], [.. results.SelectMany(found => found.FirstTokens).Order()], before,
            after);

        async Task<(long Tokens, List<double> Gaps, List<double> FirstTokens)> LoopAsync(HttpCaller caller)
        {
            await Task.Yield();
            var tokens = 0L;
            List<double> gaps = [], firstTokens = [];
            try
            {
                while (true)
                {
                    var sent = time.GetTimestamp();
                    var last = sent;
                    await caller.StreamAsync(place =>
                    {
                        var now = time.GetTimestamp();
                        if (Volatile.Read(ref isMeasured))
                        {
                            tokens++;
                            (place == 0 ? firstTokens : gaps).Add(time.GetElapsedTime(place == 0 ? sent : last, now).TotalMilliseconds);
                        }

                        last = now;
                    }, stop.Token);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return (tokens, gaps, firstTokens);
            }
        }
    }
}
