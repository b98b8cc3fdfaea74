using System.Net;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Tests.Conformance;

/// <summary>A whole answer: the text of each choice, why it ended, and how many tokens it took.</summary>
internal sealed record WholeChat(IReadOnlyList<string> Texts, IReadOnlyList<string> FinishReasons, int PromptTokens, int CompletionTokens)
{
    public string Text => Assert.Single(Texts);

    /// <summary>Reads a completion and checks its shape.</summary>
    public static WholeChat Read(JsonElement completion)
    {
        Assert.Equal("chat.completion", completion.GetProperty("object").GetString());
        Assert.Equal(ChatSubject.Model, completion.GetProperty("model").GetString());
        Assert.NotEmpty(completion.GetProperty("id").GetString()!);
        Assert.True(completion.GetProperty("created").GetInt64() > 0);
        var choices = completion.GetProperty("choices").EnumerateArray().OrderBy(choice => choice.GetProperty("index").GetInt32()).ToList();
        Assert.Equal(Enumerable.Range(0, choices.Count), choices.Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.All(choices, choice => Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString()));
        var usage = completion.GetProperty("usage");
        var (prompt, answer) = (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(prompt + answer, usage.GetProperty("total_tokens").GetInt32());
        return new WholeChat(
            [.. choices.Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!)],
            [.. choices.Select(choice => choice.GetProperty("finish_reason").GetString()!)], prompt, answer);
    }
}

/// <summary>A streamed answer, from its bytes.</summary>
/// <param name="Chunks">The chunks, in their order.</param>
/// <param name="IsDone">Whether it ended with <c>[DONE]</c>.</param>
internal sealed record ChatStream(IReadOnlyList<JsonElement> Chunks, bool IsDone)
{
    // Throws where a character was cut in two.
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private IEnumerable<JsonElement> Choices => Chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray());

    /// <summary>The usage of the last chunk; null if none told one.</summary>
    public JsonElement? Usage =>
        Chunks.Where(chunk => chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            .Select(chunk => (JsonElement?)chunk.GetProperty("usage")).LastOrDefault();

    /// <summary>The text of one choice.</summary>
    public string Text(int index = 0) =>
        string.Concat(
            Of(index)
                .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : null));

    /// <summary>Why one choice ended.</summary>
    public string FinishReason(int index = 0) => Of(index).Last().GetProperty("finish_reason").GetString()!;

    public static async Task<ChatStream> ReadAsync(HttpResponseMessage response)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(bytes));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.NotEmpty(response.Headers.GetValues("x-request-id").Single());

        // Events are strings of their own: each must be whole characters.
        var events = new List<string>();
        foreach (var part in Split(bytes))
        {
            events.Add(_strict.GetString(part));
        }

        Assert.All(events, text => Assert.StartsWith("data: ", text, StringComparison.Ordinal));
        var isDone = events is [.., "data: [DONE]"];
        return new ChatStream(
            [.. events.Take(events.Count - (isDone ? 1 : 0)).Select(text => JsonDocument.Parse(text["data: ".Length..]).RootElement)],
            isDone);
    }

    /// <summary>Checks all that is true of any good stream.</summary>
    public ChatStream CheckShape()
    {
        Assert.True(IsDone, "The stream does not end with [DONE].");
        var first = Chunks[0];
        Assert.All(Chunks, chunk =>
        {
            Assert.Equal("chat.completion.chunk", chunk.GetProperty("object").GetString());
            Assert.Equal(ChatSubject.Model, chunk.GetProperty("model").GetString());
            Assert.Equal(first.GetProperty("id").GetString(), chunk.GetProperty("id").GetString());
            Assert.Equal(first.GetProperty("created").GetInt64(), chunk.GetProperty("created").GetInt64());
        });
        foreach (var index in Choices.Select(choice => choice.GetProperty("index").GetInt32()).Distinct())
        {
            var choice = Of(index).ToList();
            Assert.Equal("assistant", choice[0].GetProperty("delta").GetProperty("role").GetString());
            Assert.True(
                !choice[0].GetProperty("delta").TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null
                    || content.GetString() == "",
                "The first chunk is the role's.");
            Assert.All(choice[..^1], chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("finish_reason").ValueKind));
            Assert.True(choice[^1].GetProperty("finish_reason").GetString() is "stop" or "length");
            Assert.DoesNotContain('\uFFFD', Text(index));
        }

        return this;
    }

    private IEnumerable<JsonElement> Of(int index) => Choices.Where(choice => choice.GetProperty("index").GetInt32() == index);

    private static List<byte[]> Split(byte[] stream)
    {
        var parts = new List<byte[]>();
        var rest = stream.AsSpan();
        while (rest.IndexOf("\n\n"u8) is >= 0 and var end)
        {
            parts.Add(rest[..end].ToArray());
            rest = rest[(end + 2)..];
        }

        Assert.True(rest.IsEmpty, "The stream ends inside an event.");
        return parts;
    }
}
