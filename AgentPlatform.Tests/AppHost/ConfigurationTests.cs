namespace AgentPlatform.Tests.AppHost;

/// <summary>With an invalid setting the application host exits with one sentence that names the key.</summary>
public class ConfigurationTests
{
    [Theory]
    [InlineData("--Broker:Mode=nonsense", "Broker:Mode must be auto, external, container or local.")]
    [InlineData(
        "--Broker:Mode=external",
        "Broker:Mode is external: set ConnectionStrings:messaging to the address of the broker, amqp://user:password@host:5672.")]
    [InlineData("--Broker:DataFolder=/proc/none", "Broker:DataFolder cannot be used", "--Broker:Mode=local")]
    [InlineData(
        "--Gateway:Port=70000",
        "The field Gateway:Port must be between 1 and 65535.",
        "--Broker:Mode=external",
        "--ConnectionStrings:messaging=amqp://localhost")]
    public async Task ApplicationHost_WrongSetting_EndsWithOneSentence(string setting, string sentence, params string[] others)
    {
        await using var platform = PlatformProcess.Start([setting, .. others]);

        Assert.Equal(1, await platform.EndAsync());

        Assert.StartsWith(sentence, platform.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', platform.Output);
    }

    [Theory]
    [InlineData("publish", "/proc/none")]
    [InlineData("publish-manifest", "/proc/none")]
    [InlineData("publish-manifest", "/proc/none/aspire-manifest.json")]
    public async Task Publish_WhereNothingCanBeWritten_EndsWithOneSentence(string step, string path)
    {
        await using var platform = PlatformProcess.Start("--operation", "publish", "--step", step, "--output-path", path);

        Assert.Equal(1, await platform.EndAsync());

        Assert.StartsWith(
            $"Nothing can be written to {path}, choose another place with --output-path: ", platform.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', platform.Output);
    }
}
