// Measures the platform against a bare broker round trip and against plain HTTP gateways, all in one run on one machine.
//   dotnet run -c Release --project benchmarks [-- --seconds 10 --only stream]
// Or breaks it in every way and holds it to what it promises.
//   dotnet run -c Release --project benchmarks -- chaos [--plan kills --seed 1]
using AgentPlatform.Benchmarks;
using AgentPlatform.Benchmarks.Chaos;
using AgentPlatform.Benchmarks.Processes;

if (args is ["host", var role, .. var rest])
{
    return await HostRole.RunAsync(role, rest);
}

Func<CancellationToken, Task<int>>? run = args is ["chaos", .. var chaos]
    ? ChaosOptions.Parse(chaos) is { } plans ? new ChaosSuite(plans).RunAsync : null
    : BenchmarkOptions.Parse(args) is { } options ? new Suite(options).RunAsync : null;
if (run is null)
{
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await run(stop.Token);
