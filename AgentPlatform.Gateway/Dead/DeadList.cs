using System.Globalization;
using System.Text;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;

namespace AgentPlatform.Gateway.Dead;

/// <summary>Lists, shows and drops dead jobs.</summary>
internal sealed class DeadList(IHost host, TextWriter output, TextWriter errors)
{
    private readonly IDeadLetters _letters = host.Services.GetRequiredService<IDeadLetters>();

    /// <summary>One line for each job, the latest last, without what its client wrote.</summary>
    public async Task<bool> ListAsync(CancellationToken cancellationToken)
    {
        List<DeadJob> jobs = [];
        await using (var reader = await _letters.OpenAsync(cancellationToken))
        {
            await foreach (var held in HeldJob.ReadAsync(reader, cancellationToken))
            {
                jobs.Add(held.Job with { Body = default });
            }
        }

        string[][] rows =
        [
            ["ID", "DIED (UTC)", "MODEL", "VERSION", "ATTEMPTS", "REASON"],
            .. jobs.OrderBy(job => job.DiedAt).Select(job => new[]
            {
                job.Id, Time(job.DiedAt), job.Model ?? "-", job.Version ?? "-", job.Attempts.Count > 0 ? $"{job.Attempts.Count}" : "-",
                job.Reason,
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            await output.WriteLineAsync(Printable(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])))
                .TrimEnd()));
        }

        return true;
    }

    /// <summary>Everything of the jobs with these ids.</summary>
    public async Task<bool> ShowAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        List<DeadJob> jobs = [];
        await using (var reader = await _letters.OpenAsync(cancellationToken))
        {
            jobs.AddRange((await FindAsync(reader, ids, cancellationToken)).Select(held => held.Job));
        }

        foreach (var job in jobs)
        {
            await output.WriteLineAsync(Printable(Format(job)));
        }

        return await CheckFoundAsync(ids, jobs);
    }

    /// <summary>Removes the jobs with these ids.</summary>
    public async Task<bool> DropAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        List<DeadJob> dropped = [];
        await using (var reader = await _letters.OpenAsync(cancellationToken))
        {
            foreach (var held in await FindAsync(reader, ids, cancellationToken))
            {
                await reader.RemoveAsync(held.Message, cancellationToken);
                dropped.Add(held.Job);
            }
        }

        foreach (var job in dropped)
        {
            await output.WriteLineAsync(Printable($"Dropped {job.Id}."));
        }

        return await CheckFoundAsync(ids, dropped);
    }

    /// <summary>The messages with these ids; a request may have died more than once, so an id may have several.</summary>
    internal static async Task<List<HeldJob>> FindAsync(
        IDeadReader reader, IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        List<HeldJob> found = [];
        await foreach (var held in HeldJob.ReadAsync(reader, cancellationToken))
        {
            if (ids.Contains(held.Job.Id))
            {
                found.Add(held);
            }
        }

        return [.. found.OrderBy(held => held.Job.DiedAt)];
    }

    /// <summary>The text without what could steer a terminal: ids and bodies are whatever somebody sent.</summary>
    internal static string Printable(string text) =>
        string.Create(text.Length, text, static (printable, text) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                printable[i] = char.IsControl(text[i]) && text[i] is not ('\n' or '\t') ? '\uFFFD' : text[i];
            }
        });

    private async Task<bool> CheckFoundAsync(IReadOnlyCollection<string> ids, List<DeadJob> found)
    {
        var missing = ids.Except(found.Select(job => job.Id)).ToList();
        foreach (var id in missing)
        {
            await errors.WriteLineAsync(Printable($"There is no dead job {id}."));
        }

        return missing.Count == 0;
    }

    private static string Format(DeadJob job)
    {
        var text = new StringBuilder();
        Line("id", job.Id);
        Line("died", $"{Time(job.DiedAt)} UTC");
        Line("reason", $"{job.Reason}{(job.IsByBroker ? ", said by the broker" : "")}");
        Line("detail", job.Detail);
        Line("queue", job.Queue);
        Line("model", job.Model is null ? null : $"{job.Model}, version {job.Version ?? "unknown"}");
        Line("operation", job.Operation is null ? null : $"{job.Operation}{(job.Stream ? ", streamed" : "")}");
        Line("deadline", job.Deadline is null ? null : $"{Time(job.Deadline)} UTC");
        Line("tenant", job.Tenant);
        Line("trace", job.TraceParent);
        foreach (var attempt in job.Attempts)
        {
            Line("attempt",
                $"{attempt.Attempt}: {attempt.Worker ?? "no worker heard of"}, {attempt.Parts} parts, {attempt.End ?? "no end"}");
        }

        return text.AppendLine().AppendLine(Encoding.UTF8.GetString(job.Body.Span)).ToString();

        void Line(string name, string? value)
        {
            if (value is not null)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{name,-10}{value}");
            }
        }
    }

    private static string Time(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-";
}
