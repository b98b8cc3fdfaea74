using System.Text.Json.Nodes;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>A chat request of the load.</summary>
/// <param name="Name">How the report calls it.</param>
/// <param name="Body">JSON.</param>
/// <param name="IsStream">Whether it asks for server-sent events.</param>
internal sealed record ChaosRequest(string Name, string Body, bool IsStream)
{
    /// <summary>The model that all of them ask for.</summary>
    public const string Model = "chaos";

    /// <summary>A worker that reads this dies.</summary>
    public const string PoisonText = "drop dead, worker";

    private static readonly string[] _subjects = [
        "rivers", "a lantern", "the north", "copper", "willows", "an old bridge", "glass", "the harbour"];

    /// <summary>
    /// Requests of every kind that has an answer of its own: streams and whole ones, with and without usage, one choice and two, with stop
    /// sequences and without. A function of the seed.
    /// </summary>
    /// <param name="random">Seeded.</param>
    /// <param name="count">How many.</param>
    /// <param name="fewest">Fewest tokens of an answer.</param>
    /// <param name="most">Most tokens.</param>
    public static IReadOnlyList<ChaosRequest> Create(Random random, int count, int fewest, int most)
    {
        var requests = new ChaosRequest[count];
        for (var i = 0; i < count; i++)
        {
            var isStream = random.Next(100) < 85;
            var body = BodyOf(
                $"Tell me about {_subjects[random.Next(_subjects.Length)]}, part {random.Next(1_000_000)}.", random.Next(fewest, most + 1),
                isStream);
            body["seed"] = random.Next();
            if (random.Next(10) == 0)
            {
                body["n"] = 2;
            }

            if (random.Next(10) == 0)
            {
                body["stop"] = new JsonArray(" willow", "stone");
            }

            if (isStream && random.Next(2) == 0)
            {
                body["stream_options"] = new JsonObject { ["include_usage"] = true };
            }

            requests[i] = new ChaosRequest($"request {i}", body.ToJsonString(), isStream);
        }

        return requests;
    }

    /// <summary>A stream of a given length.</summary>
    public static ChaosRequest Stream(string text, int tokens, int choices = 1)
    {
        var body = BodyOf(text, tokens, isStream: true);
        body["n"] = choices;
        return new ChaosRequest(text, body.ToJsonString(), IsStream: true);
    }

    /// <summary>A stream that kills the worker which runs it.</summary>
    public static ChaosRequest Poison() => Stream($"Please {PoisonText}.", tokens: 40);

    private static JsonObject BodyOf(string text, int tokens, bool isStream) => new()
    {
        ["model"] = Model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["max_tokens"] = tokens,
        ["stream"] = isStream,
    };
}
