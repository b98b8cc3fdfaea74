namespace AgentPlatform.AppHost.Broker;

/// <summary>Finds the RabbitMQ that is installed on this machine.</summary>
internal static class LocalServer
{
    // The script behind the wrapper that Debian's package puts on the PATH; the wrapper needs root and uses the system's folders.
    private const string DebianScript = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    /// <summary>Returns the path of its start script, or null if none is installed.</summary>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "rabbitmq-server"))
            .Prepend(DebianScript)
            .FirstOrDefault(File.Exists);
}
