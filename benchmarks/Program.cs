// Measures the platform against a bare broker round trip and against plain HTTP gateways, all in one run on one machine.
//   dotnet run -c Release --project benchmarks [-- --seconds 10 --only stream]
// Or breaks it in every way and holds it to what it promises.
//   dotnet run -c Release --project benchmarks -- chaos [--plan kills --seed 1]
using AgentPlatform.Benchmarks;
using AgentPlatform.Benchmarks.Processes;

return args is ["host", var role, .. var rest] ? await HostRole.RunAsync(role, rest) : await BenchmarkCommand.RunAsync(args);
