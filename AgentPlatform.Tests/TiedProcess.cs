using System.Diagnostics;

namespace AgentPlatform.Tests;

/// <summary>Programs that are told to stop when this process ends, however it ends: a test run that is killed leaves nothing behind.</summary>
internal static class TiedProcess
{
    // The shell becomes the program, so both have one process id. What it leaves beside it waits for the end of standard input, which
    // stays open for as long as this process lives. (A signal at the parent's death would come at the death of the thread that started it.)
    private const string Script = "exec 3<&0; (cat <&3; kill -TERM $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null";

    /// <summary>How to start the program; what it writes is redirected.</summary>
    public static ProcessStartInfo StartInfo(string program, params IEnumerable<string> arguments) =>
        new("sh", ["-c", Script, "sh", program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
}
