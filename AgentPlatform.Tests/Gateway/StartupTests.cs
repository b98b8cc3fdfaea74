using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Tests.Gateway;

/// <summary>The gateway as a process.</summary>
public sealed class StartupTests
{
    [Fact]
    public async Task A_wrong_setting_is_one_sentence_and_an_exit_code()
    {
        var (code, error) = await RunAsync("Models:0:Name=a", "Models:0:Transport=openai");
        Assert.Equal(1, code);
        Assert.StartsWith("Models:0:Endpoint must be", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_taken_port_is_one_sentence_and_an_exit_code()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var (code, error) = await RunAsync(
            "Models:0:Name=a", "Models:0:Transport=openai", "Models:0:Endpoint=http://127.0.0.1:9/v1",
            $"urls=http://{taken.LocalEndpoint}");
        Assert.Equal(1, code);
        Assert.Contains("address already in use", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    private static async Task<(int Code, string Error)> RunAsync(params string[] settings)
    {
        await using var gateway = ServiceProcess.Gateway(settings);
        return await gateway.EndAsync();
    }
}
