using System.Text;
using AgentPlatform.Client.Models;
using AgentPlatform.Client.Transports;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;

namespace AgentPlatform.Gateway.Dead;

/// <summary>Has dead jobs done again, as a gateway of its own: with a reply queue and a deadline of its own.</summary>
internal sealed class DeadRun(IHost host, TextWriter output, TextWriter errors)
{
    private readonly IDeadLetters _letters = host.Services.GetRequiredService<IDeadLetters>();
    private readonly TimeProvider _time = host.Services.GetRequiredService<TimeProvider>();

    /// <summary>Runs the jobs one after another; true if all of them succeeded.</summary>
    public async Task<bool> RunAsync(
        IReadOnlyCollection<string> ids, string? version, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await host.StartAsync(cancellationToken);
        try
        {
            var done = true;
            foreach (var id in ids)
            {
                done &= await RunAsync(id, version, timeout, cancellationToken);
            }

            return done;
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
        }
    }

    private async Task<bool> RunAsync(string id, string? version, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // Held while it runs, so that nobody runs it a second time; should this process die, the broker has it back.
        await using var reader = await _letters.OpenAsync(cancellationToken);
        var held = await DeadList.FindAsync(reader, [id], cancellationToken);
        await reader.KeepOnlyAsync([.. held.Select(static each => each.Message)], cancellationToken);
        if (held.Count == 0)
        {
            return await FailAsync($"There is no dead job {id}.");
        }

        var job = held[^1].Job;
        var model = new ModelOptions { Name = job.Model ?? "", Version = version ?? job.Version ?? "" };
        if (job.Operation is null || ModelRules.Check(model, "").Any())
        {
            return await FailAsync($"{id} is not a job; it can be shown and dropped.");
        }

        var queue = QueueNames.Job(model.Name, model.Version);
        if (await LookAsync(queue, cancellationToken) is not { Exists: true, Consumers: var workers })
        {
            return await FailAsync($"{id} stays where it is: there is no queue {queue}. Another version can do it: --model-version.");
        }

        if (workers == 0)
        {
            await errors.WriteLineAsync($"No worker takes jobs of {queue} yet; waiting for one.");
        }

        if (await TryAnswerAsync(job, model, timeout, cancellationToken) is { } failure)
        {
            return await FailAsync($"{id} failed again and stays where it is: {failure}");
        }

        foreach (var each in held)
        {
            await reader.RemoveAsync(each.Message, CancellationToken.None);
        }

        await errors.WriteLineAsync(DeadList.Printable($"{id} is answered and removed."));
        return true;
    }

    private async Task<QueueState> LookAsync(string queue, CancellationToken cancellationToken) =>
        await host.Services.GetRequiredService<BrokerState>().WaitOpenAsync(cancellationToken)
        && await host.Services.GetRequiredService<IQueueInspector>().LookAsync(queue, cancellationToken) is { } state
            ? state
            : throw new BrokerException("The broker cannot be reached.");

    /// <summary>Runs the job and prints its answer, a streamed one part by part; says why if it failed.</summary>
    private async Task<string?> TryAnswerAsync(DeadJob job, ModelOptions model, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var request = job.ToRequest(Guid.NewGuid(), _time.GetUtcNow() + timeout) with { TimeLimit = new TimeLimit(timeout, _time) };
        try
        {
            await foreach (var part in TransportFactory.Create(host.Services, model).RunAsync(request, either.Token))
            {
                if (part.Kind != ReplyKind.Started && !part.Payload.IsEmpty)
                {
                    await output.WriteLineAsync(DeadList.Printable(Encoding.UTF8.GetString(part.Payload.Span)));
                }
            }

            return null;
        }
        catch (InferenceException e)
        {
            if (e.Error.Code == DeadJobs.Poison)
            {
                await DropCopyAsync(request.RequestId);
            }

            return $"{e.Message} ({e.Error.Code ?? e.Error.Type})";
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {timeout.TotalSeconds:0} seconds.";
        }
    }

    // A run that breaks the workers again is written to the queue of dead jobs as any other is. One entry is enough, the one that people
    // know.
    private async Task DropCopyAsync(Guid requestId)
    {
        await using var reader = await _letters.OpenAsync(CancellationToken.None);
        foreach (var copy in await DeadList.FindAsync(reader, [requestId.ToString()], CancellationToken.None))
        {
            await reader.RemoveAsync(copy.Message, CancellationToken.None);
        }
    }

    private async Task<bool> FailAsync(string reason)
    {
        await errors.WriteLineAsync(DeadList.Printable(reason));
        return false;
    }
}
