using System.Text.RegularExpressions;
using AgentPlatform.Messaging.RabbitMQ;
using Here = AgentPlatform.AppHost.Broker.QueueNames;
using There = AgentPlatform.Messaging.Broker.QueueNames;

namespace AgentPlatform.Tests.AppHost.Broker;

/// <summary>The AppHost cannot reference Messaging's names of queues and exchanges; it has its own.</summary>
public sealed class QueueNamesTests
{
    [Fact]
    public void The_names_are_those_that_Messaging_declares()
    {
        Assert.Equal(There.Job("llama-3.1", "2"), Here.Job("llama-3.1", "2"));
        Assert.Equal(There.Dead, Here.Dead);
        Assert.Equal(Topology.ControlExchange, Here.Control);
        Assert.Equal(Topology.DeathExchange, Here.Death);
    }

    [Theory]
    [InlineData("llama-3.1", "2", true)]
    [InlineData("llama-3x1", "2", false)]
    [InlineData("llama-3.1", "21", false)]
    [InlineData("small-llama-3.1", "2", false)]
    public void The_pattern_of_a_model_matches_both_of_its_lanes_and_no_other_queue(string model, string version, bool matches)
    {
        var job = There.Job(model, version);
        var pattern = $"^{Here.JobsPattern(Regex.Escape("llama-3.1"), "2")}$";

        Assert.Equal(matches, Regex.IsMatch(job, pattern));
        Assert.Equal(matches, Regex.IsMatch(There.Resume(job), pattern));
    }

    [Fact]
    public void The_pattern_of_all_jobs_matches_both_lanes_and_neither_answers_nor_dead_jobs()
    {
        var job = There.Job("m", "1");

        Assert.Equal(
            [job, There.Resume(job)],
            new[] { job, There.Resume(job), There.Reply("gateway-1"), There.Dead, Topology.ExpiredQueue }
                .Where(queue => Regex.IsMatch(queue, $"^{Here.AllJobsPattern}$")));
    }
}
