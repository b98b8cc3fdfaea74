using AgentPlatform.Api.Startup;
using AgentPlatform.Worker;

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddWorker();
    await builder.BuildWorker().RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (StartupMistake.Explain(e) is { } sentences)
{
    await Console.Error.WriteLineAsync(sentences);
    return 1;
}
