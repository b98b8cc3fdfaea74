using System.Diagnostics.Metrics;
using AgentPlatform.Worker.Telemetry;

namespace AgentPlatform.Worker.Jobs;

/// <summary>How a job ended for this worker.</summary>
internal enum JobOutcome
{
    /// <summary>The answer was delivered whole.</summary>
    Completed,

    /// <summary>An error was delivered.</summary>
    Failed,

    /// <summary>The deadline passed, before or while the job ran.</summary>
    Expired,

    /// <summary>The client left.</summary>
    Cancelled,

    /// <summary>The gateway that asked is gone.</summary>
    Orphaned,

    /// <summary>It was of no use any more: the request was over, or at another worker.</summary>
    Superseded,

    /// <summary>The job went back to the broker untouched, because the worker stops.</summary>
    Returned,

    /// <summary>The broker gives it to another worker: the connection broke, or the worker stopped before it was done.</summary>
    Lost,
}

/// <summary>What becomes of jobs.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class JobMetrics(IMeterFactory meters)
{
    private readonly Counter<long> _jobs = meters.Create(WorkerTelemetry.Name).CreateCounter<long>(
        "agentplatform.worker.jobs", "{job}", "Jobs that the worker is done with, by outcome");

    private readonly Histogram<double> _duration = meters.Create(WorkerTelemetry.Name).CreateHistogram<double>(
        "messaging.process.duration", "s", "From taking a job to settling it", tags: null,
        new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
        });

    public void Ended(string queue, JobOutcome outcome, TimeSpan took)
    {
        _jobs.Add(1, new("messaging.destination.name", queue), new("agentplatform.job.outcome", NameOf(outcome)));
        _duration.Record(
            took.TotalSeconds, new("messaging.system", "rabbitmq"), new("messaging.operation.name", "process"),
            new("messaging.destination.name", queue));
    }

    public static string NameOf(JobOutcome outcome) => outcome switch
    {
        JobOutcome.Completed => "completed",
        JobOutcome.Failed => "failed",
        JobOutcome.Expired => "expired",
        JobOutcome.Cancelled => "cancelled",
        JobOutcome.Orphaned => "orphaned",
        JobOutcome.Superseded => "superseded",
        JobOutcome.Returned => "returned",
        _ => "lost",
    };
}
