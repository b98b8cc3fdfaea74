using AgentPlatform.Gateway.Dead;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Tests.Gateway.Dead;

/// <summary>What the command says where there is nothing to look at.</summary>
public sealed class DeadCommandStartTests
{
    [Fact]
    public async Task Help_names_the_commands_and_their_arguments()
    {
        var (code, output, _) = await RunAsync(null, "--help");
        Assert.Equal(0, code);
        foreach (var command in new[] { "list", "show <id>", "requeue <id>", "drop <id>" })
        {
            Assert.Contains($"  {command}", output, StringComparison.Ordinal);
        }

        Assert.Contains("--timeout", (await RunAsync(null, "requeue", "--help")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("requeue", "7", "--timeout", "0")]
    [InlineData("requeue", "7", "--timeout", "1501")]
    [InlineData("bury")]
    public async Task Wrong_arguments_are_refused(params string[] args)
    {
        var (code, _, errors) = await RunAsync("amqp://localhost:1", args);
        Assert.Equal(1, code);
        Assert.NotEqual("", errors);
    }

    [Fact]
    public async Task Without_a_broker_it_says_which_setting_is_missing()
    {
        var (code, _, errors) = await RunAsync("", "list");
        Assert.Equal(1, code);
        Assert.StartsWith("ConnectionStrings:messaging is missing", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_is_away_is_one_sentence()
    {
        var (code, output, errors) = await RunAsync($"amqp://127.0.0.1:{RabbitMQNode.FreePort()}", "list");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith(
            "The broker cannot be reached: Connection failed", Assert.Single(errors.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string? broker, params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var command = new DeadCommand(output, errors, new Dictionary<string, string?> { ["ConnectionStrings:messaging"] = broker });
        var code = await command.InvokeAsync(["dead", .. args], CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        return (code, output.ToString(), errors.ToString());
    }
}
