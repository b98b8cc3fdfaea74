using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Client;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>
/// The worked example on the broker alone: a program asks the agent by its queue, the agent asks the embedded classifier by its queue.
/// </summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class AgentOverQueuesTests(RabbitMQServer server)
{
    [Fact]
    public async Task A_monitoring_agent_judges_comments_by_the_embedded_classifier()
    {
        var version = Guid.NewGuid().ToString("N");
        var broker = $"ConnectionStrings:messaging={server.ConnectionString}";
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "social_media_analyze_comments",
                """{"comments":["I love this update!","This is terrible, it crashes all the time"]}""")),
                    ScriptedModel.Says("One loves it."));
        await using var classifier = ServiceProcess.Worker(
            "Engine:Type=onnx-classifier", "Model:Name=sentiment", $"Model:Version={version}",
            $"Model:Source={Path.Combine(Repository.Root, "models", "sentiment")}", broker);
        await using var agent = ServiceProcess.Worker(
            "Engine:Type=agent", "Model:Name=monitor", $"Model:Version={version}", broker,
            "Agent:Model:Name=llm", "Agent:Model:Transport=openai", $"Agent:Model:Endpoint={model.Endpoint}",
            $"Extensions:0={Samples.AssemblyOf("SocialMedia")}", "Agent:Plugins:0=social_media",
            "Agent:SocialMedia:Name=sentiment", $"Agent:SocialMedia:Version={version}",
            $"Agent:InstructionsFile={Path.Combine(Repository.Root, "samples", "CommentFeed", "monitor.md")}");
        await classifier.ReadyAsync();
        await agent.ReadyAsync();
        await using var program = await ClientHost.StartAsync(
            ["monitor"], ("AgentPlatform:Models:0:Name", "monitor"), ("AgentPlatform:Models:0:Version", version),
            ("ConnectionStrings:messaging", server.ConnectionString));

        var answer = await program.Chat.GetStreamingResponseAsync("What do they say?").ToChatResponseAsync()
            .WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal("One loves it.", answer.Text);
        var told = model.Requests[1].GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString();
        Assert.Contains("\"positive\": 1", told, StringComparison.Ordinal);
        Assert.Contains("\"negative\": 1", told, StringComparison.Ordinal);
        Assert.StartsWith("You watch what people write", model.Requests[0].GetProperty("messages")[0].GetProperty("content").GetString(),
            StringComparison.Ordinal);
    }
}
