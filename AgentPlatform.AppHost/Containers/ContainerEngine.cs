using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Containers;

/// <summary>Docker or Podman, through their command lines. Thread-safe.</summary>
internal static partial class ContainerEngine
{
    // The orchestrator uses options that older versions do not support; Debian 12 has 20.10.
    private const int OldestDocker = 25;

    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _pullLimit = TimeSpan.FromMinutes(10);

    private static readonly Lazy<string?> _found = new(() => Commands().FirstOrDefault(command => !IsTooOld(command) && Answers(command)));

    /// <summary>Whether an engine is running that the orchestrator supports.</summary>
    public static bool IsUsable() => _found.Value is not null;

    /// <summary>Whether the engine has an image, or can pull it.</summary>
    public static bool Has(string image) => _found.Value is { } engine && Has(engine, image);

    /// <summary>Makes sure that an engine can run the broker for <c>Broker:Mode=container</c>.</summary>
    /// <exception cref="StartupException">No engine is running, it is too old, or it cannot pull the image.</exception>
    public static void EnsureBroker(string image)
    {
        var answering = Commands().Where(Answers).ToList();
        if (answering.Count == 0)
        {
            throw new StartupException(
                "Broker:Mode is container, and neither Docker nor Podman answers: start one of them, or set Broker:Mode to auto.");
        }

        var engine = answering.FirstOrDefault(command => !IsTooOld(command)) ?? throw new StartupException(string.Create(
            CultureInfo.InvariantCulture,
            $"Broker:Mode is container, and the command line of Docker is older than {OldestDocker}.0, which Aspire needs: update it, "
            + $"or set Broker:Mode to auto."));
        if (!Has(engine, image))
        {
            throw new StartupException(
                $"{engine} cannot pull {image}: make sure that '{engine} pull {image}' works, or set Broker:Mode to local.");
        }
    }

    // Docker is preferred, unless Aspire's own variable names an engine.
    private static string[] Commands() =>
        Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME") is { Length: > 0 } chosen ? [chosen] : ["docker", "podman"];

    private static bool Answers(string command) => Run(command, _answerLimit, "container", "ls", "--quiet") is not null;

    // "Docker version 20.10.24+dfsg1, build 297e128"; Podman's replacement for the command docker prints "podman version 4.3.1".
    private static bool IsTooOld(string command) =>
        DockerVersion().Match(Run(command, _answerLimit, "--version") ?? "") is { Success: true } match
        && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) < OldestDocker;

    [GeneratedRegex(@"^Docker version (\d{1,5})\.")]
    private static partial Regex DockerVersion();

    private static bool Has(string engine, string image)
    {
        if (Run(engine, _answerLimit, "image", "inspect", image) is not null)
        {
            return true;
        }

        Console.WriteLine($"Pulling {image} with {engine}.");
        return Run(engine, _pullLimit, "pull", "--quiet", image) is not null;
    }

    /// <summary>Returns the first line that the command writes; null if it fails, exceeds the limit, or does not exist.</summary>
    private static string? Run(string command, TimeSpan limit, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var first = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            process.OutputDataReceived += (_, line) => first.TrySetResult(line.Data ?? "");
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }

            return process.ExitCode == 0 && first.Task.Wait(limit) ? first.Task.Result : null;
        }
        catch (Win32Exception)
        {
            // The command does not exist.
            return null;
        }
    }
}
