using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;

namespace AgentPlatform.Tests.AppHost;

/// <summary>When the application host stops, for whatever reason, it leaves no process running and no port in use.</summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public class StopTests
{
    private static readonly string[] _brokerPorts = ["RABBITMQ_NODE_PORT", "RABBITMQ_DIST_PORT", "ERL_EPMD_PORT"];

    [Fact]
    public async Task Platform_ToldToStop_EndsWithExitCodeZeroAndLeavesNothing()
    {
        await using var platform = PlatformProcess.Start("--Broker:Mode=local");
        await platform.ReadyAsync();
        var ports = PortsOf(platform);
        Assert.True(platform.Members().Count > 6, "application host, orchestrator, dashboard, broker, gateway and workers");

        platform.Terminate();

        Assert.Equal(0, await platform.EndAsync());
        AssertFree(platform.Ports);
        await AssertNothingLeftAsync(platform, ports);
    }

    [Fact]
    public async Task Platform_ToldToStopDuringAStream_CompletesIt()
    {
        await using var platform = PlatformProcess.Start("--Broker:Mode=local");
        var (gateway, _) = await platform.ReadyAsync();
        using var http = new HttpClient { BaseAddress = gateway };
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "tiny-chat",
                stream = true,
                n = 8,
                max_tokens = 400,
                ignore_eos = true,
                messages = new[] { new { role = "user", content = "Hello" } },
            }),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        platform.Terminate();

        var events = await response.Content.ReadAsStringAsync();
        Assert.EndsWith("data: [DONE]\n\n", events, StringComparison.Ordinal);
        Assert.DoesNotContain("\"error\"", events, StringComparison.Ordinal);
        Assert.Equal(0, await platform.EndAsync());
    }

    [Fact]
    public async Task Platform_ApplicationHostKilled_ChildrenEndByThemselves()
    {
        await using var platform = PlatformProcess.Start("--Broker:Mode=local");
        await platform.ReadyAsync();
        var ports = PortsOf(platform);

        platform.Kill();

        await platform.EndAsync();
        await AssertNothingLeftAsync(platform, ports);
    }

    [Fact]
    public async Task Platform_PortOfGatewayTaken_SaysSoAndLeavesNothing()
    {
        using var other = new TcpListener(System.Net.IPAddress.Any, 0);
        other.Start();
        var port = ((System.Net.IPEndPoint)other.LocalEndpoint).Port;
        await using var platform = PlatformProcess.StartAt(port, "--Broker:Mode=local");

        Assert.Equal(1, await platform.EndAsync());

        Assert.Contains(port.ToString(CultureInfo.InvariantCulture), platform.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", platform.Output, StringComparison.Ordinal);
        await AssertNothingLeftAsync(platform, [.. platform.Ports.Where(other => other != port)]);
    }

    // The next run can use the ports immediately.
    private static void AssertFree(IEnumerable<int> ports)
    {
        foreach (var port in ports)
        {
            using var listener = new TcpListener(System.Net.IPAddress.Any, port);
            listener.Start();
        }
    }

    private static int[] PortsOf(PlatformProcess platform) =>
        [.. platform.Ports, .. platform.Members().SelectMany(process => process.Environment)
            .Where(variable => _brokerPorts.Any(name => variable.StartsWith($"{name}=", StringComparison.Ordinal)))
            .Select(variable => int.Parse(variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture))
            .Distinct()];

    private static async Task AssertNothingLeftAsync(PlatformProcess platform, IReadOnlyList<int> ports)
    {
        await Wait.UntilAsync(() => platform.Members().Count == 0);
        foreach (var port in ports)
        {
            using var client = new TcpClient();
            await Assert.ThrowsAnyAsync<SocketException>(() => client.ConnectAsync("localhost", port));
        }
    }
}
