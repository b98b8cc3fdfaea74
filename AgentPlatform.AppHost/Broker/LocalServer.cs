namespace AgentPlatform.AppHost.Broker;

/// <summary>The RabbitMQ that is installed on this machine.</summary>
internal static class LocalServer
{
    // Below the wrapper of Debian's package on the PATH, which wants root and the system's folders.
    private const string DebianScript = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    /// <summary>Path of its start script; null when there is none.</summary>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "rabbitmq-server"))
            .Prepend(DebianScript)
            .FirstOrDefault(File.Exists);
}
