// Measures the platform against a bare broker round trip and against plain HTTP gateways, all in one run on one machine.
//   dotnet run -c Release --project benchmarks [-- --seconds 10 --only stream]
using AgentPlatform.Benchmarks;
using AgentPlatform.Benchmarks.Processes;

if (args is ["host", var role, .. var rest])
{
    return await HostRole.RunAsync(role, rest);
}

if (BenchmarkOptions.Parse(args) is not { } options)
{
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await new Suite(options).RunAsync(stop.Token);
