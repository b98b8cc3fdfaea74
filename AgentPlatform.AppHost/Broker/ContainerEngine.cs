using System.ComponentModel;
using System.Diagnostics;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Docker or Podman, asked by their command line.</summary>
internal static class ContainerEngine
{
    // The image of AddRabbitMQ.
    private const string Image = "docker.io/library/rabbitmq:4.3";

    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _pullLimit = TimeSpan.FromMinutes(10);

    /// <summary>Command of an engine that answers, Docker first unless Aspire's own variable names one; null without any.</summary>
    public static string? Find()
    {
        var chosen = Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME");
        string[] commands = chosen is { Length: > 0 } ? [chosen] : ["docker", "podman"];
        return commands.FirstOrDefault(command => Succeeds(command, _answerLimit, "container", "ls", "--quiet"));
    }

    /// <summary>Whether the broker's image is there, having pulled it if need be.</summary>
    public static bool HasImage(string engine)
    {
        if (Succeeds(engine, _answerLimit, "image", "inspect", Image))
        {
            return true;
        }

        Console.WriteLine($"Pulling {Image} with {engine}.");
        return Succeeds(engine, _pullLimit, "pull", "--quiet", Image);
    }

    /// <summary>Throws when <see cref="HasImage"/> is false.</summary>
    public static void EnsureImage(string engine)
    {
        if (!HasImage(engine))
        {
            throw new StartupException($"{engine} cannot pull {Image}: see to it that '{engine} pull {Image}' works, or set Broker:Mode to local.");
        }
    }

    private static bool Succeeds(string command, TimeSpan limit, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(limit))
            {
                return process.ExitCode == 0;
            }

            process.Kill(entireProcessTree: true);
            return false;
        }
        catch (Win32Exception)
        {
            // No such command.
            return false;
        }
    }
}
