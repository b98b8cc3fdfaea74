using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Gateway;
using AgentPlatform.AppHost.Models;
using AgentPlatform.AppHost.Startup;

try
{
    var builder = DistributedApplication.CreateBuilder(args);

    // RabbitMQ: one that exists, a container, or a process of this machine, as Broker:Mode says.
    var messaging = builder.AddBroker("messaging");

    // All clients come in here: HTTP in, jobs out, and tokens back as they are made.
    var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway")
        .WithReference(messaging).WaitFor(messaging)
        .WithPublicPort()
        .WithHttpHealthCheck("/health");

    var pools = builder.AddModelPools(gateway, messaging);

    // The embedded classifier; what waits is computed together, so one process serves many callers.
    pools.AddOnnxClassifier("sentiment", "models/sentiment", "Tells positive, negative and neutral social-media comments apart.");

    // Stands in for the embedded chat model until that lands: two workers that share the load of one queue.
    pools.Add("tiny-chat", EngineType.Simulated, ModelOperation.Chat, "Simulated: answers with the timing of a GPU and without a model.")
        .WithReplicas(2);

    builder.AnnounceReadiness(gateway);
    await builder.Build().RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (StartupMistake.Describe(e) is { } sentence)
{
    await Console.Error.WriteLineAsync(sentence);
    return 1;
}
