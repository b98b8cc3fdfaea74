using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit.Abstractions;

namespace AgentPlatform.Tests.Chaos;

/// <summary>The chaos suite as a user starts it. It needs the machine for itself.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ChaosGroup
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Chaos";
}

[Trait("Category", "Chaos")]
[Collection(ChaosGroup.Name)]
public sealed class MixedChaosTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(9);

    [Fact]
    public async Task No_answer_is_wrong_lost_or_late_in_two_minutes_of_all_faults()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(Repository.Root, "benchmarks", "bin", own.Parent!.Name, own.Name, "AgentPlatform.Benchmarks");
        using var suite = Process.Start(
            TiedProcess.StartInfo(program, "chaos", "--plan", "mixed", "--duration", "2m", "--streams", "100"))!;
        var lines = new ConcurrentQueue<string?>();
        suite.OutputDataReceived += (_, line) => lines.Enqueue(line.Data);
        suite.ErrorDataReceived += (_, line) => lines.Enqueue(line.Data);
        suite.BeginOutputReadLine();
        suite.BeginErrorReadLine();
        try
        {
            await suite.WaitForExitAsync().WaitAsync(_limit);
        }
        finally
        {
            suite.Kill();
            output.WriteLine(string.Join('\n', lines));
        }

        Assert.True(suite.ExitCode == 0, string.Join('\n', lines));
    }
}
