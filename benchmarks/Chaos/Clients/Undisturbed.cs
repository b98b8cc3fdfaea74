using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Benchmarks.Processes;
using AgentPlatform.Testing.Broker;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>The answers as they are when nothing happens: those of a lone worker without a broker, whose steps take no time.</summary>
internal sealed class Undisturbed : IAsyncDisposable
{
    private readonly ChildProcess _worker;
    private readonly ChaosClient _client;

    private Undisturbed(ChildProcess worker, ChaosClient client) => (_worker, _client) = (worker, client);

    public static async Task<Undisturbed> StartAsync(CancellationToken cancellationToken)
    {
        var port = RabbitMQNode.FreePort();
        var shape = new SubjectShape(Workers: 1, Slots: 1, TimeSpan.Zero);
        var worker = await ChildProcess.StartAsync(
            "worker", port, shape.WorkerSettings("", ChaosRequest.Model, "undisturbed", TimeSpan.Zero, crashOn: null), cancellationToken);
        return new Undisturbed(worker, new ChaosClient(port));
    }

    /// <summary>What each request is answered.</summary>
    /// <exception cref="InvalidOperationException">One is not.</exception>
    public async Task<IReadOnlyDictionary<ChaosRequest, Answer>> AskAsync(IEnumerable<ChaosRequest> requests)
    {
        var answers = new Dictionary<ChaosRequest, Answer>();
        foreach (var request in requests)
        {
            var answer = await _client.AskAsync(request);
            answers[request] = AnswerJudge.Judge(answer, answer).Verdict == Verdict.Completed ? answer
                : throw new InvalidOperationException(
                    $"The undisturbed worker does not answer {request.Name}: {answer.Status} {answer.Error} {answer.Oddity}");
        }

        return answers;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _worker.DisposeAsync();
    }
}
