using AgentPlatform.Benchmarks.Processes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

[assembly: HostingStartup(typeof(WrongClockStartup))]

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>
/// The clock of a process that is set to another time than the machine's,
/// also while everything runs, as a machine of its own may have it.
/// </summary>
internal sealed class WrongClock : TimeProvider
{
    /// <summary>What sets it, followed by the seconds that it is ahead; the answer is the same number.</summary>
    public const string Question = "clock ";

    /// <summary>Name and value of the environment variable with which a process has it instead of the system's.</summary>
    public static readonly KeyValuePair<string, string> Setting = new(
        "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES", typeof(WrongClock).Assembly.GetName().Name!);

    private long _secondsAhead;

    public static WrongClock Instance { get; } = new();

    /// <summary>Sets how far the clock is ahead of the machine's.</summary>
    public void Set(long secondsAhead) => Interlocked.Exchange(ref _secondsAhead, secondsAhead);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromSeconds(Interlocked.Read(ref _secondsAhead));
}

/// <summary>Gives the gateway or worker of a process the <see cref="WrongClock"/>.</summary>
internal sealed class WrongClockStartup : IHostingStartup
{
    public void Configure(IWebHostBuilder builder) =>
        builder.ConfigureServices(static services => services.AddSingleton<TimeProvider>(WrongClock.Instance));
}
