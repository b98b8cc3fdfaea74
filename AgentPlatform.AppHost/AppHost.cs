using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Dashboard;
using AgentPlatform.AppHost.Gateway;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Workloads;
using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Processes;
using AgentPlatform.AppHost.Startup;

try
{
    var builder = DistributedApplication.CreateBuilder(args);
    builder.CheckOutputPath();

    // The Helm chart, if one is to be published (--operation publish --step publish).
    var chart = KubernetesChart.Begin(builder);

    // RabbitMQ: an existing one, a container, or a process on this machine (Broker:Mode).
    var messaging = builder.AddBroker("messaging").ShowAsBroker().PublishAsBroker(chart);

    // The entry for all clients: takes HTTP requests, sends jobs, and streams tokens back as they are generated.
    var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway")
        .WithReference(messaging).WaitFor(messaging)
        .WithPublicPort()
        .StartDirectly()
        .WithLocalCallers()
        .WithHttpHealthCheck("/health")
        .ShowAsGateway()
        .PublishAsGateway(chart);

    var pools = builder.AddModelPools(gateway, messaging, chart);

    // The embedded classifier. It classifies waiting texts in batches, so one process serves many callers.
    pools.AddOnnxClassifier(
        "sentiment",
        "models/sentiment",
        "Tells positive, negative and neutral social-media comments apart.",
        pool => (pool.MinReplicas, pool.JobsPerReplica) = (1, 64));

    // The embedded chat model, a demonstration: two workers share one queue.
    pools.AddOnnxChat(
        "tiny-chat",
        "models/tiny-chat",
        "Demonstration model: a built-in guide to AgentPlatform, trained in this repository. It knows nothing else, and can be wrong.",
        pool => pool.MinReplicas = 1).WithReplicas(2);

    // The worked example of an agent, if the run names a server whose model supports tool calls (the embedded one does not), such as
    // --Pools:llm:Server=http://localhost:11434/v1 --Pools:llm:UpstreamModel=qwen3
    if (pools.ServerOf("llm") is { } server)
    {
        pools.AddOpenAIServer("llm", server, "The model of the monitoring agent.");
        pools.AddMonitoringAgent("monitor", model: "llm", classifier: "sentiment");
    }

    // The gateway's commands in the dashboard, and prompts and answers in its traces (--Telemetry:MessageContent=true).
    gateway.WithAskCommand(pools.Models).WithDeadJobsCommand(messaging);
    builder.CaptureMessageContent();

    builder.AnnounceReadiness(gateway);
    builder.StopInOrder(gateway, messaging);
    await builder.Build().RunAsync();
    return chart is { IsComplete: false } ? 1 : Environment.ExitCode;
}
catch (Exception e) when (StartupMistake.Explain(e) is { } sentence)
{
    await Console.Error.WriteLineAsync(sentence);
    return 1;
}
