using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Tests.Gateway;

/// <summary>The gateway as a process.</summary>
public sealed class StartupTests
{
    [Fact]
    public async Task A_wrong_setting_is_one_sentence_and_an_exit_code()
    {
        var (code, error) = await RunAsync(("Models__0__Name", "a"), ("Models__0__Transport", "openai"));
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
            ("Models__0__Name", "a"), ("Models__0__Transport", "openai"), ("Models__0__Endpoint", "http://127.0.0.1:9/v1"), ("ASPNETCORE_URLS", $"http://{taken.LocalEndpoint}"));
        Assert.Equal(1, code);
        Assert.Contains("address already in use", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    private static async Task<(int Code, string Error)> RunAsync(params (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(AgentPlatform.Gateway.GatewayExtensions).Assembly.Location);
        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = await process.StandardError.ReadToEndAsync(limit.Token);
            await output;
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
