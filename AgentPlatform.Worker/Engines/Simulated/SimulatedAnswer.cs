using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Worker.Engines.Simulated;

/// <summary>One choice of an answer.</summary>
/// <param name="Tokens">Its pieces; together they are its text.</param>
/// <param name="FinishReason">Why it ends: <c>stop</c> or <c>length</c>.</param>
internal sealed record SimulatedChoice(IReadOnlyList<string> Tokens, string FinishReason);

/// <summary>
/// What the simulated engine answers: a function of the request's messages, <c>seed</c> (0 if absent), <c>n</c>, <c>stop</c> and
/// <c>max_completion_tokens</c> or <c>max_tokens</c>, so that any worker gives the same answer to the same request.
/// </summary>
/// <param name="Choices">One per <c>n</c>.</param>
/// <param name="PromptTokens">Words in the messages.</param>
internal sealed record SimulatedAnswer(IReadOnlyList<SimulatedChoice> Choices, int PromptTokens)
{
    private const int MostChoices = 128;

    // Whoever reads the answer must see what it is.
    private static readonly string[] _opening = ["This", " answer", " is", " simulated", ":"];

    private static readonly string[] _words =
    [
        "amber", "birch", "cloud", "delta", "ember", "field", "grove", "harbor", "island", "jetty", "kernel", "lantern", "meadow", "north",
        "orchard", "pebble",
        "quarry", "river", "stone", "timber", "under", "valley", "willow", "yonder", "zephyr", "bridge", "copper", "drift", "early",
        "forest", "glass", "hollow",
        "the", "a", "of", "and", "by", "near", "over", "with", "from", "into", "is", "was", "goes", "rests", "turns", "shines",
        "quiet", "bright", "slow", "deep", "old", "green", "wide", "warm", "cold", "small", "tall", "calm", "soft", "clear", "far", "new",
    ];

    /// <summary>The prompt's tokens, and those of all choices.</summary>
    public TokenUsage Usage => new(PromptTokens, Choices.Sum(choice => choice.Tokens.Count));

    /// <summary>How many steps it takes: the longest choice's, and at least one.</summary>
    public int Steps { get; } = Math.Max(1, Choices.Max(choice => choice.Tokens.Count));

    /// <summary>
    /// Which parts of a stream a step gives: from the first number up to the second, which
    /// is the next step's. Each role is one, each token, and the end of each choice.
    /// </summary>
    public (uint First, uint Next) PartsOf(int step) => (PartsBefore(step), PartsBefore(step + 1));

    /// <summary>Composes the answer to a chat-completions request.</summary>
    /// <param name="body">The request, UTF-8 JSON.</param>
    /// <param name="tokens">Length of an answer that nothing ends earlier.</param>
    /// <exception cref="JsonException">The body is not JSON.</exception>
    /// <exception cref="InferenceException">400: a field has a value that it cannot have.</exception>
    public static SimulatedAnswer Compose(ReadOnlyMemory<byte> body, int tokens)
    {
        using var document = JsonDocument.Parse(body, JsonLimits.Document);
        var turn = ChatTurn.Read(document.RootElement);
        var messages = turn.Fields.Find("messages");
        var seed = Hash(messages is { } list ? JsonMarshal.GetRawUtf8Value(list) : default, (ulong)(turn.Seed ?? 0));
        var limit = turn.MaxTokens ?? long.MaxValue;
        var stops = turn.Stops;
        var choices = new SimulatedChoice[turn.Choices(MostChoices)];
        for (var i = 0; i < choices.Length; i++)
        {
            choices[i] = Choose(seed + ((ulong)i * 0x9E3779B97F4A7C15), tokens, limit, stops);
        }

        var words = messages is null ? 0 : turn.Messages.Sum(static message => message.Content.Sum(static part => Words(part.Text ?? "")));
        return new SimulatedAnswer(choices, words);
    }

    private uint PartsBefore(int step) =>
        (uint)Choices.Sum(choice =>
            Math.Min(step, 1) + Math.Min(step, choice.Tokens.Count) + (step >= Math.Max(choice.Tokens.Count, 1) ? 1 : 0));

    private static SimulatedChoice Choose(ulong seed, int tokens, long limit, IReadOnlyList<string> stops)
    {
        var count = (int)Math.Min(tokens, limit);
        var pieces = new List<string>(count);
        for (var i = 0; i < count; i++)
        {
            pieces.Add(i < _opening.Length ? _opening[i] : i % 12 == 4 ? "." : " " + _words[Next(ref seed) % (ulong)_words.Length]);
        }

        return Cut(pieces, stops) ? new SimulatedChoice(pieces, "stop") : new SimulatedChoice(pieces, limit < tokens ? "length" : "stop");
    }

    /// <summary>Ends the text before the first stop sequence, which may begin and end inside of tokens.</summary>
    private static bool Cut(List<string> pieces, IReadOnlyList<string> stops)
    {
        if (stops.Count == 0)
        {
            return false;
        }

        var text = string.Concat(pieces);
        var end = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        if (end < 0)
        {
            return false;
        }

        for (var i = 0; i < pieces.Count; i++)
        {
            if (end <= pieces[i].Length)
            {
                pieces[i] = pieces[i][..end];
                pieces.RemoveRange(end == 0 ? i : i + 1, pieces.Count - (end == 0 ? i : i + 1));
                break;
            }

            end -= pieces[i].Length;
        }

        return true;
    }

    private static int Words(string text)
    {
        var (words, inside) = (0, false);
        foreach (var character in text.EnumerateRunes())
        {
            var space = Rune.IsWhiteSpace(character);
            words += !space && !inside ? 1 : 0;
            inside = !space;
        }

        return words;
    }

    // FNV-1a: the same on every machine, unlike the runtime's own hash codes.
    private static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var hash = 0xCBF29CE484222325 ^ seed;
        foreach (var value in bytes)
        {
            hash = (hash ^ value) * 0x100000001B3;
        }

        return hash;
    }

    // SplitMix64 (Steele, Lea, Flood 2014).
    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
