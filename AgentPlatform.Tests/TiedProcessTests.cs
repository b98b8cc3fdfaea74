using System.Diagnostics;

namespace AgentPlatform.Tests;

public sealed class TiedProcessTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Program_StarterGone_IsToldToStop()
    {
        using var process = Process.Start(TiedProcess.StartInfo("sleep", "600"))!;

        // The system does it when the starter ends.
        process.StandardInput.Close();

        await process.WaitForExitAsync().WaitAsync(_limit);
        Assert.Equal(128 + 15, process.ExitCode);
    }

    [Fact]
    public async Task Program_EndingByItself_EndsWithItsOwnExitCode()
    {
        using var process = Process.Start(TiedProcess.StartInfo("sh", "-c", "echo \"$0 $1\"; exit 7", "two words", "more"))!;

        Assert.Equal("two words more\n", await process.StandardOutput.ReadToEndAsync().WaitAsync(_limit));
        await process.WaitForExitAsync().WaitAsync(_limit);
        Assert.Equal(7, process.ExitCode);
    }
}
