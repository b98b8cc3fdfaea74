using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Distributed application starting.")]
    public static partial void Starting(ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "Application host directory is: {Directory}")]
    public static partial void Directory(ILogger logger, string directory);

    [LoggerMessage(3, LogLevel.Information, "Fetching the Aspire orchestrator and dashboard from npm, once for this user: {Package}")]
    public static partial void Fetching(ILogger logger, string package);

    [LoggerMessage(4, LogLevel.Information, "Now listening on: {Url}")]
    public static partial void DashboardListening(ILogger logger, string url);

    [LoggerMessage(5, LogLevel.Information, "Login to the dashboard at {LoginUrl}")]
    public static partial void DashboardLogin(ILogger logger, string loginUrl);

    [LoggerMessage(6, LogLevel.Information, "Distributed application started. Press Ctrl+C to shut down.")]
    public static partial void Started(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "Stopping the distributed application.")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(8, LogLevel.Warning, "The orchestrator has not ended within {Seconds} s; it ends by itself when this process is gone.")]
    public static partial void StoppingSlow(ILogger logger, double seconds);

    [LoggerMessage(9, LogLevel.Error, "Resource {Resource} failed to start: {Reason}")]
    public static partial void FailedToStart(ILogger logger, string resource, string reason);

    [LoggerMessage(10, LogLevel.Warning, "Resource {Resource} ended with exit code {ExitCode}.")]
    public static partial void Ended(ILogger logger, string resource, int? exitCode);

    [LoggerMessage(11, LogLevel.Information, "Command '{Command}' on {Resource}.")]
    public static partial void Command(ILogger logger, string command, string resource);

    [LoggerMessage(12, LogLevel.Critical, "The connection to the orchestrator is lost: {Reason}")]
    public static partial void OrchestratorLost(ILogger logger, string reason);
}
