using System.Diagnostics;

namespace AgentPlatform.Testing;

/// <summary>
/// Programs that are told to stop when this process ends, however it ends: a test run that is killed leaves nothing behind.
/// </summary>
internal static class TiedProcess
{
    // The shell becomes the program, so both have one process id. What it leaves beside it waits for the end of standard input, which
    // stays open for as long as this process lives. (A signal at the parent's death would come at the death of the thread that started it.)
    private const string Script = "exec 3<&0; (cat <&3; kill -TERM $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null";

    /// <summary>How to start the program; what it writes is redirected.</summary>
    public static ProcessStartInfo StartInfo(string program, params IEnumerable<string> arguments) =>
        new("sh", [
            "-c", Script, "sh", program,
            .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

    /// <summary>Runs the program to its end.</summary>
    /// <param name="limit">When it is taken for hung and killed.</param>
    /// <param name="program">A path, or a name on the PATH.</param>
    /// <param name="arguments">What it is given.</param>
    /// <param name="prepare">Sets its folder or its environment.</param>
    /// <exception cref="TimeoutException">It has not ended by then.</exception>
    public static async Task<EndedProcess> RunAsync(
        TimeSpan limit, string program, IReadOnlyCollection<string> arguments, Action<ProcessStartInfo>? prepare = null)
    {
        var start = StartInfo(program, arguments);
        prepare?.Invoke(start);
        var command = $"{Path.GetFileName(program)} {string.Join(' ', arguments)}";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            // Some callers block for it.
            await process.WaitForExitAsync().WaitAsync(limit).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{command} has not ended after {limit}.", e);
        }

        return new(command, process.ExitCode, await output.ConfigureAwait(false), await errors.ConfigureAwait(false));
    }
}

/// <summary>A program that has ended.</summary>
internal sealed record EndedProcess(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>What it wrote, if it ended well.</summary>
    /// <exception cref="InvalidOperationException">It did not.</exception>
    public string Checked() =>
        ExitCode == 0 ? Output : throw new InvalidOperationException($"{Command} ended with {ExitCode}: {Output}{Errors}");

    /// <summary>What it complained about, if it did not.</summary>
    /// <exception cref="InvalidOperationException">It ended well.</exception>
    public string Refused() =>
        ExitCode != 0 ? Errors : throw new InvalidOperationException($"{Command} ended well: {Output}{Errors}");
}
