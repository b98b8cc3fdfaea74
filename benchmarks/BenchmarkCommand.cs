using System.CommandLine;
using AgentPlatform.Benchmarks.Chaos;

namespace AgentPlatform.Benchmarks;

/// <summary>The command line.</summary>
internal static class BenchmarkCommand
{
    private const int WrongUsage = 2;

    /// <summary>Runs what the arguments ask for.</summary>
    /// <returns>The exit code: 2 if the arguments are wrong.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var command = Create().Parse(args);

        // A run that is stopped ends the processes that it started.
        var exitCode = await command.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
        return command.Errors.Count > 0 ? WrongUsage : exitCode;
    }

    private static RootCommand Create()
    {
        var seconds = new Option<int>("--seconds")
        {
            Description = "How long each figure of bare, platform, peers and stream is measured, 1 to 600.",
            HelpName = "N",
            DefaultValueFactory = static _ => 8,
        };
        seconds.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 600)
            {
                result.AddError("--seconds must be between 1 and 600.");
            }
        });
        var only = new Option<string>("--only")
        {
            Description =
                "The one part to run. Ratios of platform, peers and stream need bare, which runs with each of them; classifier and "
                + "chat measure engines in this process.",
        };
        only.AcceptOnlyFromAmong([.. BenchmarkOptions.Loads, .. BenchmarkOptions.Engines]);
        var command = new RootCommand("Measures the platform against a bare broker round trip and against plain HTTP gateways.")
        {
            seconds, only, ChaosCommand.Create(),
        };
        command.SetAction((result, stop) =>
            new Suite(new BenchmarkOptions(TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(only))).RunAsync(stop));
        return command;
    }
}
