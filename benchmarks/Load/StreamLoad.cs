namespace AgentPlatform.Benchmarks.Load;

/// <summary>What many concurrent streams measured.</summary>
/// <param name="Streams">How many ran at once.</param>
/// <param name="Events">All events, those of the warm-up and of the end too.</param>
/// <param name="Tokens">Events in the measured time.</param>
/// <param name="Gaps">Milliseconds between two events of a stream, ascending.</param>
/// <param name="FirstTokens">Milliseconds from the request to its first event, ascending.</param>
internal sealed record StreamLoad(int Streams, long Events, long Tokens, double[] Gaps, double[] FirstTokens)
{
    /// <summary>Keeps <paramref name="callers"/> streams running: a warm-up that is not counted, then the measured time.</summary>
    /// <remarks>The first two events are the role and the first token; the gap that counts begins with the second.</remarks>
    public static async Task<StreamLoad> MeasureAsync(IReadOnlyList<HttpCaller> callers, TimeSpan warmUp, TimeSpan measure, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var results = await Task.WhenAll(callers.Select(LoopAsync));
        return new StreamLoad(
            callers.Count, results.Sum(found => found.Events), results.Sum(found => found.Tokens),
            [.. results.SelectMany(found => found.Gaps).Order()], [.. results.SelectMany(found => found.FirstTokens).Order()]);

        async Task<(long Events, long Tokens, List<double> Gaps, List<double> FirstTokens)> LoopAsync(HttpCaller caller)
        {
            await Task.Yield();
            var (events, tokens) = (0L, 0L);
            List<double> gaps = [], firstTokens = [];
            while (time.GetElapsedTime(began) < warmUp + measure)
            {
                var sent = time.GetTimestamp();
                var last = sent;
                await caller.StreamAsync(place =>
                {
                    events++;
                    var now = time.GetTimestamp();
                    var elapsed = time.GetElapsedTime(began, now);
                    if (elapsed >= warmUp && elapsed < warmUp + measure)
                    {
                        tokens++;
                        if (place > 1)
                        {
                            gaps.Add(time.GetElapsedTime(last, now).TotalMilliseconds);
                        }
                    }

                    if (place == 0 && elapsed >= warmUp)
                    {
                        firstTokens.Add(time.GetElapsedTime(sent, now).TotalMilliseconds);
                    }

                    last = now;
                }, cancellationToken);
            }

            return (events, tokens, gaps, firstTokens);
        }
    }
}
