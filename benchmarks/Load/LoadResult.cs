namespace AgentPlatform.Benchmarks.Load;

/// <summary>What a closed-loop load measured: every caller sends its next request when it has the answer to the last one.</summary>
/// <param name="Callers">How many requests were under way at once.</param>
/// <param name="Rate">Answers per second.</param>
/// <param name="Requests">All answers, those of the warm-up too.</param>
/// <param name="Latencies">Each answer's time in milliseconds, ascending.</param>
internal sealed record LoadResult(int Callers, double Rate, int Requests, double[] Latencies)
{
    public double P50 => Percentile(Latencies, 0.50);

    public double P99 => Percentile(Latencies, 0.99);

    /// <summary>The value below which <paramref name="share"/> of the ascending <paramref name="values"/> lies.</summary>
    public static double Percentile(IReadOnlyList<double> values, double share) =>
        values.Count == 0 ? double.NaN : values[Math.Min(values.Count - 1, (int)(share * values.Count))];

    /// <summary>
    /// Runs <paramref name="call"/> in <paramref name="callers"/> loops: a warm-up that is not counted, then the measured time.
    /// </summary>
    public static async Task<LoadResult> MeasureAsync(
        int callers, TimeSpan measure, Func<int, CancellationToken, Task> call, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var warmUp = measure / 3;
        var results = await Task.WhenAll(Enumerable.Range(0, callers).Select(LoopAsync));
        var latencies = results.SelectMany(found => found.Latencies).Order().ToArray();
        return new LoadResult(callers, latencies.Length / measure.TotalSeconds, results.Sum(found => found.All), latencies);

        async Task<(int All, List<double> Latencies)> LoopAsync(int caller)
        {
            await Task.Yield();
            var all = 0;
            List<double> found = [];
            while (time.GetElapsedTime(began) < warmUp + measure)
            {
                var sent = time.GetTimestamp();
                await call(caller, cancellationToken);
                all++;
                if (time.GetElapsedTime(began, sent) >= warmUp)
                {
                    found.Add(time.GetElapsedTime(sent).TotalMilliseconds);
                }
            }

            return (all, found);
        }
    }
}
