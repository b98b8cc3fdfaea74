using System.Diagnostics;

namespace AgentPlatform.Tests.AppHost;

/// <summary>A container engine that cannot run the broker is reported in one sentence, before the orchestrator fails.</summary>
public sealed class ContainerEngineTests : IDisposable
{
    private const string TooOld = "Broker:Mode is container, and the command line of Docker is older than 25.0, which Aspire needs: "
        + "update it, or set Broker:Mode to auto.";
    private const string NoImage = "cannot pull docker.io/library/rabbitmq:4.3";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agentplatform-engine-");

    [Theory]
    [InlineData("Docker version 20.10.24+dfsg1, build 297e128", TooOld)]
    [InlineData("Docker version 24.0.9, build 2936816", TooOld)]
    [InlineData("Docker version 25.0.0, build e758fe5", NoImage)]
    [InlineData("Docker version 28.2.2, build e6534b4", NoImage)]
    [InlineData("podman version 4.3.1", NoImage)]
    public async Task Container_EngineThatAnswersWithoutImage_EndsWithOneSentence(string version, string sentence)
    {
        var engine = Engine(version, answers: true);

        await using var platform = PlatformProcess.StartIn(("ASPIRE_CONTAINER_RUNTIME", engine), "--Broker:Mode=container");

        Assert.Equal(1, await platform.EndAsync());
        Assert.Contains(sentence, platform.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", platform.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Container_NoEngineAnswers_EndsWithOneSentence()
    {
        var engine = Engine("Docker version 28.2.2, build e6534b4", answers: false);

        await using var platform = PlatformProcess.StartIn(("ASPIRE_CONTAINER_RUNTIME", engine), "--Broker:Mode=container");

        Assert.Equal(1, await platform.EndAsync());
        Assert.StartsWith("Broker:Mode is container, and neither Docker nor Podman answers", platform.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // The command line of an engine that has no image and no way to pull one.
    private string Engine(string version, bool answers)
    {
        var path = Path.Combine(_folder.FullName, "docker");
        var script = $"#!/bin/sh\ncase \"$1\" in --version) echo '{version}';; container) exit {(answers ? 0 : 1)};; *) exit 1;; esac\n";

        // Written by another process: a file that this process writes may be inherited by processes that other tests start at the same
        // time, and a program cannot be started while it is open for writing.
        using var writer = Process.Start("sh", ["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\"", path, script]);
        writer.WaitForExit();
        return path;
    }
}
