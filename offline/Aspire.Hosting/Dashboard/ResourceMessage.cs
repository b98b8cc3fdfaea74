using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Proto;
using Aspire.Hosting.Dcp;
using Google.Protobuf.WellKnownTypes;
using HealthStatus = Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus;
using Resource = Aspire.Hosting.Dashboard.Proto.Resource;

namespace Aspire.Hosting.Dashboard;

/// <summary>A resource as the dashboard shows it.</summary>
internal static class ResourceMessage
{
    public static Resource Of(ResourceEvent change)
    {
        var snapshot = change.Snapshot;
        var state = snapshot.State?.Text ?? KnownResourceStates.NotStarted;
        var message = new Resource
        {
            Name = change.ResourceId,
            DisplayName = change.Resource.Name,
            ResourceType = snapshot.ResourceType,
            Uid = change.ResourceId,
            State = state,
            CreatedAt = Timestamp.FromDateTimeOffset(snapshot.CreatedAt),
            StartedAt = snapshot.StartedAt is { } started ? Timestamp.FromDateTimeOffset(started) : null,
            StoppedAt = snapshot.StoppedAt is { } stopped ? Timestamp.FromDateTimeOffset(stopped) : null,
            IsHidden = snapshot.IsHidden,
        };
        if (Style(state, snapshot.ExitCode) is { } style)
        {
            message.StateStyle = style;
        }

        message.Environment.Add(snapshot.EnvironmentVariables.Select(variable => new EnvironmentVariable { Name = variable.Key, Value = variable.Value, IsFromSpec = true }));
        message.Properties.Add(snapshot.Properties.Select(property => new ResourceProperty { Name = property.Key, Value = ValueOf(property.Value) }));
        if (snapshot.ExitCode is { } exitCode)
        {
            message.Properties.Add(new ResourceProperty { Name = "resource.exitCode", Value = Value.ForNumber(exitCode) });
        }

        message.Urls.Add(snapshot.Urls.Select(url => new Url { EndpointName = url.EndpointName, FullUrl = url.Url, IsInactive = url.IsInactive, DisplayProperties = new() }));
        message.HealthReports.Add(snapshot.HealthReports.Select(Report));
        message.Relationships.Add(change.Resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .Select(relation => new ResourceRelationship { ResourceName = relation.Resource.Name, Type = relation.Type }));
        message.Commands.Add(Commands(snapshot, state));
        return message;
    }

    private static string? Style(string state, int? exitCode) => state switch
    {
        "Running" => "success",
        "FailedToStart" => "error",
        "Finished" when exitCode is not (null or 0) => "error",
        "Waiting" or "Starting" or "Stopping" => "info",
        _ => null,
    };

    private static Value ValueOf(object? value) => value switch
    {
        null => Value.ForNull(),
        int number => Value.ForNumber(number),
        IEnumerable<string> list => Value.ForList([.. list.Select(Value.ForString)]),
        _ => Value.ForString(value.ToString() ?? ""),
    };

    private static HealthReport Report(HealthReportSnapshot report)
    {
        var message = new HealthReport { Key = report.Name, Description = report.Description ?? "", Exception = report.ExceptionText ?? "" };
        if (report.Status is { } status)
        {
            message.Status = status switch
            {
                HealthStatus.Healthy => Proto.HealthStatus.Healthy,
                HealthStatus.Degraded => Proto.HealthStatus.Degraded,
                _ => Proto.HealthStatus.Unhealthy,
            };
        }

        if (report.LastRunAt is { } at)
        {
            message.LastRunAt = Timestamp.FromDateTimeOffset(at);
        }

        return message;
    }

    private static IEnumerable<ResourceCommand> Commands(CustomResourceSnapshot snapshot, string state)
    {
        if (snapshot.IsHidden || snapshot.ResourceType is not ("Project" or "Executable" or "Container"))
        {
            yield break;
        }

        var isEnded = KnownResourceStates.IsTerminal(state);
        var isRunning = state == KnownResourceStates.Running;
        yield return Command(ResourceRunner.StartCommand, "Start", "Play", isEnded ? ResourceCommandState.Enabled : ResourceCommandState.Hidden);
        yield return Command(ResourceRunner.StopCommand, "Stop", "Stop", isRunning ? ResourceCommandState.Enabled : isEnded ? ResourceCommandState.Hidden : ResourceCommandState.Disabled);
        yield return Command(ResourceRunner.RestartCommand, "Restart", "ArrowCounterclockwise", isRunning ? ResourceCommandState.Enabled : ResourceCommandState.Disabled);
    }

    private static ResourceCommand Command(string name, string displayName, string icon, ResourceCommandState state) => new()
    {
        Name = name,
        DisplayName = displayName,
        IconName = icon,
        IconVariant = IconVariant.Filled,
        IsHighlighted = name != ResourceRunner.RestartCommand,
        State = state,
    };
}
