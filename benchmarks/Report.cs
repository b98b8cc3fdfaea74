using System.Globalization;
using AgentPlatform.Benchmarks.Load;
using AgentPlatform.Benchmarks.Processes;

namespace AgentPlatform.Benchmarks;

/// <summary>Prints figures as Markdown tables, so that they can be put into the documentation as they are.</summary>
internal static class Report
{
    public static void Heading(string text, string baseline = "bare") =>
        Console.WriteLine($"\n### {text}\n| What | Figure | Ratio to {baseline} |\n|---|---|---|");

    public static void Line(string what, string figure, double? ratio) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {figure} | {ratio:0.00} |"));

    public static void Load(string what, LoadResult result, LoadResult? baseline) => Line(
        $"{what}, {result.Callers} callers",
        string.Create(CultureInfo.InvariantCulture, $"{result.Rate:N0}/s, p50 {result.P50:0.00} ms, p99 {result.P99:0.0} ms"),
        baseline is null ? null : result.Rate / baseline.Rate);

    public static void Costs(PlatformCounts before, PlatformCounts after, double units, string unit)
    {
        Line($"gateway, per {unit}", string.Create(
            CultureInfo.InvariantCulture,
            $"{Per(gateway => gateway.AllocatedBytes):N0} bytes allocated, {Per(gateway => gateway.CpuSeconds) * 1e6:N1} us"), null);
        Line($"worker, per {unit}", string.Create(
            CultureInfo.InvariantCulture,
            $"{(after.Worker.AllocatedBytes - before.Worker.AllocatedBytes) / units:N0} bytes allocated, "
            + $"{(after.Worker.CpuSeconds - before.Worker.CpuSeconds) / units * 1e6:N1} us, "
            + $"{(after.Worker.MessagesSent - before.Worker.MessagesSent) / units:0.000} messages"),
            null);

        double Per(Func<ProcessCounts, double> count) => (count(after.Gateway) - count(before.Gateway)) / units;
    }
}
