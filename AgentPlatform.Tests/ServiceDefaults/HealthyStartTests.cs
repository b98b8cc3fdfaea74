using AgentPlatform.Tests.Broker;

namespace AgentPlatform.Tests.ServiceDefaults;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class HealthyStartTests(RabbitMQServer server)
{
    [Theory]
    [InlineData("AgentPlatform.Gateway")]
    [InlineData("AgentPlatform.Worker")]
    public async Task The_log_of_a_healthy_start_that_is_probed_from_the_first_moment_has_no_warning_and_no_error(string program)
    {
        await using var process = ServiceProcess.Start(
            program, [], $"ConnectionStrings:messaging={server.ConnectionString}", "Models:0:Name=m", "Model:Name=m",
            "Engine:Type=simulated");
        await process.ReadyAsync();
        Assert.DoesNotContain(
            process.Output,
            static line =>
                line.StartsWith("warn:", StringComparison.Ordinal) || line.StartsWith("fail:", StringComparison.Ordinal)
                    || line.StartsWith("crit:", StringComparison.Ordinal));
    }
}
