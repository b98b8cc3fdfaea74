using AgentPlatform.Api.Startup;
using AgentPlatform.Gateway;
using AgentPlatform.Gateway.Dead;

if (args is ["dead", ..])
{
    return await DeadCommand.RunAsync(args);
}

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddGateway();
    await builder.BuildGateway().RunAsync();
    return 0;
}
catch (Exception e) when (StartupMistake.Explain(e) is { } sentences)
{
    await Console.Error.WriteLineAsync(sentences);
    return 1;
}
