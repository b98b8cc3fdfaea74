using AgentPlatform.Api;
using AgentPlatform.Api.Startup;
using AgentPlatform.ServiceDefaults;
using AgentPlatform.Worker;
using AgentPlatform.Worker.Jobs;
using AgentPlatform.Worker.Scaling;
using Microsoft.Extensions.Options;

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddServiceDefaults();
    builder.AddEngine();
    builder.AddJobs();
    builder.AddDeletionCost();
    builder.AddInferenceApi();

    var app = builder.Build();
    app.Services.GetRequiredService<IStartupValidator>().Validate();
    app.MapDefaultEndpoints();
    app.MapInferenceApi();
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (StartupMistake.Describe(e) is { } sentences)
{
    await Console.Error.WriteLineAsync(sentences);
    return 1;
}
