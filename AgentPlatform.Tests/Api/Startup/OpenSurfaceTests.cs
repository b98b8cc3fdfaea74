using AgentPlatform.Tests.Worker.Scaling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Api.Startup;

public sealed class OpenSurfaceTests
{
    [Theory]
    [InlineData("http://127.0.0.1:0", "every program on this machine")]
    [InlineData("http://0.0.0.0:0", "docs/security.md")]
    [InlineData("http://[::]:0", "docs/security.md")]
    public async Task A_process_says_at_its_start_that_nobody_is_asked_who_they_are(string address, string says)
    {
        using var log = new LogLines();
        await using var host = await ApiHost.StartAsync(services => services.AddSingleton<ILoggerProvider>(log), [], address);
        Assert.Contains(
            log.Lines,
            line =>
                line.StartsWith("There is no authentication", StringComparison.Ordinal) && line.Contains(says, StringComparison.Ordinal));
    }
}
