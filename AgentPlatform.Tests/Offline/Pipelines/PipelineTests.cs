using Aspire.Hosting;

namespace AgentPlatform.Tests.Offline.Pipelines;

/// <summary>Steps of publishing run after those that they need, and no others run.</summary>
public sealed class PipelineTests
{
    [Fact]
    public async Task AStep_RunsAfterThoseItDependsOnAndThoseThatItIsRequiredBy()
    {
        var ran = new List<string>();
        var builder = Builder("third");
        Add("third", dependsOn: "second");
        Add("second");
        Add("first", requiredBy: (string[])["second", "third"]);
        Add("other", dependsOn: "third");

        await builder.Build().RunAsync();

        Assert.Equal(["first", "second", "third"], ran);

        void Add(string name, object? dependsOn = null, object? requiredBy = null) => builder.Pipeline.AddStep(name, _ =>
        {
            ran.Add(name);
            return Task.CompletedTask;
        }, dependsOn, requiredBy);
    }

    [Fact]
    public async Task AFailure_InAStep_EndsWithIt()
    {
        var ran = false;
        var builder = Builder("second");
        builder.Pipeline.AddStep("first", _ => throw new InvalidOperationException("No."));
        builder.Pipeline.AddStep("second", _ =>
        {
            ran = true;
            return Task.CompletedTask;
        }, dependsOn: "first");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => builder.Build().RunAsync());

        Assert.Equal("No.", failure.Message);
        Assert.False(ran);
    }

    [Fact]
    public async Task Steps_ThatNeedOneAnother_AreRefused()
    {
        var builder = Builder("a");
        builder.Pipeline.AddStep("a", static _ => Task.CompletedTask, dependsOn: "b");
        builder.Pipeline.AddStep("b", static _ => Task.CompletedTask, dependsOn: "a");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => builder.Build().RunAsync());

        Assert.Equal("The step 'a' needs itself.", failure.Message);
    }

    private static IDistributedApplicationBuilder Builder(string step) => DistributedApplication.CreateBuilder(["--operation", "publish", "--step", step, "--output-path", "unused"]);
}
