using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace AgentPlatform.Benchmarks.Engines;

/// <summary>Runs the benchmarks of engines and prints their tables as Markdown.</summary>
internal static class EngineBenchmarks
{
    /// <summary>Runs the benchmarks of <typeparamref name="T"/>.</summary>
    /// <returns>Whether all of them were measured.</returns>
    public static bool Run<T>(string heading)
    {
        Console.WriteLine($"\n### {heading}");
        var summary = BenchmarkRunner.Run<T>(Config());
        foreach (var error in summary.ValidationErrors)
        {
            Console.Error.WriteLine(error.Message);
        }

        MarkdownExporter.GitHub.ExportToLog(summary, ConsoleLogger.Default);
        return !summary.HasCriticalValidationErrors && summary.Reports.Length > 0 && summary.Reports.All(static report => report.Success);
    }

    // In this process: what is measured is this build, and a build of its own would have to restore packages. Errors go to the console.
    private static ManualConfig Config() => ManualConfig.CreateEmpty()
        .AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.DontLogOutput)
            .WithMinIterationTime(TimeInterval.FromMilliseconds(500))
            .WithWarmupCount(2)
            .WithIterationCount(6))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(new ErrorLogger())
        .WithSummaryStyle(SummaryStyle.Default.WithRatioStyle(RatioStyle.Value))
        .WithOptions(ConfigOptions.DisableLogFile)
        .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "agentplatform-benchmarks"));

    /// <summary>Passes on what went wrong and leaves out how far a benchmark has come.</summary>
    private sealed class ErrorLogger : ILogger
    {
        public string Id => nameof(ErrorLogger);

        public int Priority => 0;

        public void Write(LogKind logKind, string text)
        {
            if (logKind == LogKind.Error)
            {
                Console.Error.Write(text);
            }
        }

        public void WriteLine() { }

        public void WriteLine(LogKind logKind, string text) => Write(logKind, $"{text}\n");

        public void Flush() => Console.Error.Flush();
    }
}
