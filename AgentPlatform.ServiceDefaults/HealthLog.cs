using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.ServiceDefaults;

/// <summary>
/// Says in the log when a health check changes. The framework's own service writes an error for each question that is answered "unhealthy",
/// also while a process starts and is merely not ready yet, and again with each probe for as long as something is away.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class HealthLog(IHostApplicationLifetime lifetime, ILogger<HealthLog> logger)
{
    /// <summary>The framework's category that this replaces.</summary>
    public const string ReplacedCategory = "Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService";

    private readonly ConcurrentDictionary<string, HealthStatus> _last = new(StringComparer.Ordinal);

    /// <summary>Answers a probe as the framework does, with the status as text.</summary>
    public static Task AnswerAsync(HttpContext context, HealthReport report)
    {
        context.RequestServices.GetRequiredService<HealthLog>().Note(report);
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(report.Status.ToString());
    }

    /// <summary>Writes what is new in a report.</summary>
    public void Note(HealthReport report)
    {
        foreach (var (check, entry) in report.Entries)
        {
            HealthStatus? before = _last.TryGetValue(check, out var last) ? last : null;
            if (before != entry.Status)
            {
                _last[check] = entry.Status;
                Write(check, before, entry);
            }
        }
    }

    private void Write(string check, HealthStatus? before, HealthReportEntry entry)
    {
        if (entry.Status == HealthStatus.Healthy)
        {
            if (before is not null)
            {
                Well(logger, check);
            }
        }
        else if (entry.Exception is { } exception)
        {
            Broke(logger, exception, check);
        }
        else if (before is null)
        {
            NotYet(logger, check, entry.Description);
        }
        else
        {
            Failed(logger, lifetime.ApplicationStopping.IsCancellationRequested ? LogLevel.Information : LogLevel.Warning, check,
                entry.Status, entry.Description);
        }
    }

    [LoggerMessage(LogLevel.Information, "Health check '{Check}' is not ready yet: {Reason}")]
    private static partial void NotYet(ILogger logger, string check, string? reason);

    [LoggerMessage(LogLevel.Information, "Health check '{Check}' is healthy")]
    private static partial void Well(ILogger logger, string check);

    [LoggerMessage("Health check '{Check}' is {Status}: {Reason}")]
    private static partial void Failed(ILogger logger, LogLevel level, string check, HealthStatus status, string? reason);

    [LoggerMessage(LogLevel.Error, "Health check '{Check}' could not tell")]
    private static partial void Broke(ILogger logger, Exception exception, string check);
}
