using System.Globalization;
using AgentPlatform.Benchmarks.Processes;
using AgentPlatform.Testing.Engines;

namespace AgentPlatform.Benchmarks.Chaos.Subjects;

/// <summary>The platform that a plan troubles.</summary>
/// <param name="Workers">How many.</param>
/// <param name="Slots">Requests that each runs at once.</param>
/// <param name="Step">How long a decode step takes.</param>
internal sealed record SubjectShape(int Workers, int Slots, TimeSpan Step)
{
    /// <summary>How many gateways; the crowd asks the first one.</summary>
    public int Gateways { get; init; } = 1;

    /// <summary>Whether the workers have clocks that can be set.</summary>
    public bool HasWrongClocks { get; init; }

    /// <summary>Whether proxies stand before the broker.</summary>
    public bool IsProxied { get; init; }

    /// <summary>Most jobs that may wait.</summary>
    public int? MaxQueueLength { get; init; }

    /// <summary>Settings of gateway and workers that are not the defaults.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>Environment of gateway and workers.</summary>
    public Dictionary<string, string> CommonSettings(string connectionString)
    {
        var settings = new Dictionary<string, string>(Settings)
        {
            ["ConnectionStrings__messaging"] = connectionString,
            ["Logging__LogLevel__Default"] = "Information",
            ["Logging__LogLevel__Microsoft.AspNetCore"] = "Warning",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };
        if (MaxQueueLength is { } length)
        {
            settings["Messaging__MaxQueueLength"] = length.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    /// <summary>Environment of a worker. With a <paramref name="step"/> of zero it answers at once.</summary>
    public Dictionary<string, string> WorkerSettings(string connectionString, string model, string version, TimeSpan step, string? crashOn)
    {
        var settings = new Dictionary<string, string>(CommonSettings(connectionString))
        {
            ["Model__Name"] = model,
            ["Model__Version"] = version,
            ["Engine__Type"] = "simulated",
            ["Engine__Slots"] = $"{Slots}",
            ["Simulated__TimeToFirstToken"] = $"{step}",
            ["Simulated__TimePerToken"] = $"{step}",
            ["Simulated__BatchSlope"] = "0",

            // As long as max_tokens says.
            ["Simulated__AnswerTokens"] = "5000",
        };
        if (HasWrongClocks)
        {
            settings.Add(WrongClock.Setting.Key, WrongClock.Setting.Value);
        }

        if (crashOn is not null)
        {
            foreach (var (key, value) in CrashExtension.Settings(crashOn))
            {
                settings[key.Replace(":", "__", StringComparison.Ordinal)] = value;
            }
        }

        return settings;
    }
}
