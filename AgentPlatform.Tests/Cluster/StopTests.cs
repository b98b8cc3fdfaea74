using System.Net;
using System.Net.Http.Json;

namespace AgentPlatform.Tests.Cluster;

/// <summary>Containers end while clients wait for answers.</summary>
[Trait("Category", "Cluster")]
[Collection(ClusterGroup.Name)]
public sealed class StopTests(ClusterFixture cluster)
{
    [ContainerFact]
    public async Task Worker_killed_in_the_middle_of_streams_changes_no_byte_of_them()
    {
        var undisturbed = await new Crowd(cluster.Gateway).EndAsync();

        var crowd = new Crowd(cluster.Gateway);
        await crowd.UnderWayAsync();
        ContainerEngine.Docker("kill", cluster.Full("chat-1"));
        var interrupted = crowd.Waiting;
        var disturbed = await crowd.EndAsync();
        await cluster.StartAgainAsync("chat-1");

        Assert.True(
            interrupted > Crowd.Slots,
            $"Only {interrupted} streams had not ended when the worker was dead, and the other one may have had them all.");
        Assert.All(undisturbed, AssertWhole);
        Assert.Equal(undisturbed, disturbed);
    }

    [ContainerFact]
    public async Task Worker_stopped_in_the_middle_of_streams_fails_no_request_and_ends_with_zero()
    {
        var undisturbed = await new Crowd(cluster.Gateway).EndAsync();

        var crowd = new Crowd(cluster.Gateway);
        await crowd.UnderWayAsync();
        Assert.True(crowd.Waiting > Crowd.Slots, "The worker that is stopped may have nothing to do.");
        var stop = Task.Factory.StartNew(() => cluster.Stop("chat-2"), TaskCreationOptions.LongRunning);
        var asked = 0;
        do
        {
            using var response = await cluster.Gateway.PostAsJsonAsync("/v1/chat/completions",
                new { model = "tiny-chat", max_tokens = 4, messages = new[] { new { role = "user", content = "How do I see traces?" } } });
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            asked++;
        }
        while (!stop.IsCompleted);

        Assert.Equal(0, await stop);
        Assert.Equal(undisturbed, await crowd.EndAsync());
        await cluster.StartAgainAsync("chat-2");
        Assert.True(asked > 0);
    }

    [ContainerFact]
    public async Task Gateway_stopped_in_the_middle_of_streams_ends_them_and_then_itself_with_zero()
    {
        await cluster.StartGatewayAsync("second-gateway");
        using var gateway = cluster.Client("second-gateway");
        var crowd = new Crowd(gateway);
        await crowd.UnderWayAsync();

        Assert.Equal(0, await Task.Factory.StartNew(() => cluster.Stop("second-gateway"), TaskCreationOptions.LongRunning));

        Assert.All(await crowd.EndAsync(), AssertWhole);
    }

    // Its last events: ..."finish_reason":"stop"}]}, and data: [DONE]
    private static void AssertWhole(string stream) =>
        Assert.Matches("\"finish_reason\":\"(stop|length)\"[^\n]*\n\ndata: \\[DONE\\]\n\n\\z", stream);
}
