using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>The clients of a plan: each asks, reads to the end, judges, and asks again.</summary>
/// <param name="client">The way to the gateway.</param>
/// <param name="requests">What they ask.</param>
/// <param name="undisturbed">What the answers are to be, by request.</param>
/// <param name="tally">Counts.</param>
/// <param name="seed">Decides which client asks what, and when it leaves.</param>
internal sealed class Crowd(
    ChaosClient client, IReadOnlyList<ChaosRequest> requests, IReadOnlyDictionary<ChaosRequest, Answer> undisturbed, Tally tally, int seed)
{
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Keeps <paramref name="count"/> requests under way until <paramref name="enough"/>, and then waits for the last ones.
    /// </summary>
    /// <param name="count">How many clients.</param>
    /// <param name="leavers">How many of a hundred requests are left in the middle.</param>
    /// <param name="enough">No further request begins.</param>
    public Task RunAsync(int count, int leavers, CancellationToken enough) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(index => RunOneAsync(new Random(HashOf(seed, index)), leavers, enough)));

    /// <summary>Asks once, judges and counts.</summary>
    public async Task<Answer> AskAsync(ChaosRequest request, ClientManner? manner = null, Action<Answer>? onEvents = null)
    {
        var answer = await client.AskAsync(request, manner, onEvents);
        Count(request, answer);
        return answer;
    }

    private void Count(ChaosRequest request, Answer answer)
    {
        var (verdict, reason) = AnswerJudge.Judge(answer, undisturbed[request]);
        tally.Add(request, answer, verdict, reason);
    }

    private async Task RunOneAsync(Random random, int leavers, CancellationToken enough)
    {
        // Not all at once.
        await PauseAsync(random.NextDouble() * _longestPause, enough);
        while (!enough.IsCancellationRequested)
        {
            var request = requests[random.Next(requests.Count)];
            var leaves = random.Next(100) < leavers;
            var leaveAfter = random.Next(1, 20);
            var answer = await AskAsync(request, leaves && request.IsStream ? new ClientManner(leaveAfter) : null);
            if (answer.Status != 200)
            {
                await PauseAsync(_longestPause, enough);
            }
        }
    }

    private static async Task PauseAsync(TimeSpan pause, CancellationToken enough) =>
        await Task.Delay(pause, TimeProvider.System, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    // HashCode is another one in each process.
    private static int HashOf(int seed, int index) => unchecked((seed * 397) ^ (index * (int)2654435761u));
}
