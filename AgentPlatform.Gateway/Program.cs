using AgentPlatform.Api;
using AgentPlatform.Api.Startup;
using AgentPlatform.Gateway;
using AgentPlatform.Gateway.Dead;
using AgentPlatform.ServiceDefaults;
using Microsoft.Extensions.Options;

if (args is ["dead", ..])
{
    return await DeadCommand.RunAsync(args);
}

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddServiceDefaults();
    builder.AddModels();
    builder.AddInferenceApi();

    var app = builder.Build();
    app.Services.GetRequiredService<IStartupValidator>().Validate();
    app.MapDefaultEndpoints();
    app.MapInferenceApi();
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (StartupMistake.Describe(e) is { } sentences)
{
    await Console.Error.WriteLineAsync(sentences);
    return 1;
}
