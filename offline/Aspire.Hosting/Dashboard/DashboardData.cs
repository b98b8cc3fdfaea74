using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;

namespace Aspire.Hosting.Dashboard;

/// <summary>What the dashboard is told: resources, console logs, commands.</summary>
internal sealed record DashboardData(string HostName, ResourceNotificationService Notifications, ProcessLogs Logs, ResourceRunner Runner)
{
    /// <summary>Title of the dashboard.</summary>
    public string ApplicationName => HostName.EndsWith(".AppHost", StringComparison.Ordinal) ? HostName[..^".AppHost".Length] : HostName;
}
