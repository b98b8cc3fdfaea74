using System.Text;
using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Gathers what a span says of an answer, from the chunks of a stream or from the whole: why each choice ended, and its content if that is
/// wanted.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class AnswerRecord(bool hasContent)
{
    private readonly SortedDictionary<int, Choice> _choices = [];

    /// <summary>Why the choices ended, in their order; null if none did.</summary>
    public string[]? FinishReasons =>
        _choices.Values.Select(choice => choice.FinishReason).OfType<string>().ToArray() is { Length: > 0 } reasons ? reasons : null;

    /// <summary>
    /// Whether a chunk ends a choice, which few do, so that the others need not be parsed:
    /// <c>"finish_reason":"stop"</c> instead of <c>"finish_reason":null</c>. A quote within a text is escaped and looks different.
    /// </summary>
    public static bool SaysWhyItEnds(ReadOnlySpan<byte> chunk)
    {
        while (chunk.IndexOf("\"finish_reason\""u8) is >= 0 and var at)
        {
            chunk = chunk[(at + "\"finish_reason\""u8.Length)..].TrimStart(" \t\r\n"u8);
            if (chunk is [(byte)':', .. var value] && value.TrimStart(" \t\r\n"u8) is [(byte)'"', ..])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes a chunk, or the whole of a chat completion.</summary>
    /// <exception cref="JsonException">It is neither.</exception>
    /// <exception cref="InvalidOperationException">It is neither, or a text of it ends within a character.</exception>
    public void Take(ReadOnlyMemory<byte> part)
    {
        using var document = JsonDocument.Parse(part, JsonLimits.Document);
        if (!document.RootElement.TryGetProperty("choices"u8, out var choices))
        {
            return;
        }

        foreach (var said in choices.EnumerateArray().Where(said => said.ValueKind == JsonValueKind.Object))
        {
            var choice = ChoiceAt(NumberOf(said) ?? 0);
            choice.FinishReason = MessageJson.TextOf(said, "finish_reason"u8) ?? choice.FinishReason;
            if (hasContent && (said.TryGetProperty("delta"u8, out var message) || said.TryGetProperty("message"u8, out message)))
            {
                choice.Take(message);
            }
        }
    }

    /// <summary>Takes an answer that is not a chat completion.</summary>
    public void TakeText(ReadOnlySpan<byte> text)
    {
        if (hasContent)
        {
            ChoiceAt(0).Text.Append(Encoding.UTF8.GetString(text));
        }
    }

    /// <summary>The attribute <c>gen_ai.output.messages</c>; null if content is not wanted, or there is none.</summary>
    public string? Messages() => !hasContent || _choices.Count == 0 ? null : MessageJson.Write(json =>
    {
        foreach (var choice in _choices.Values)
        {
            MessageJson.WriteMessage(json, "assistant", () => choice.WriteParts(json), choice.FinishReason);
        }
    });

    private static int? NumberOf(JsonElement item) =>
        item.TryGetProperty("index"u8, out var index) && index.TryGetInt32(out var number) ? number : null;

    private Choice ChoiceAt(int index)
    {
        if (!_choices.TryGetValue(index, out var choice))
        {
            _choices[index] = choice = new Choice();
        }

        return choice;
    }

    private sealed class Choice
    {
        private readonly StringBuilder _reasoning = new();
        private readonly SortedDictionary<int, ToolCall> _calls = [];

        public StringBuilder Text { get; } = new();

        public string? FinishReason { get; set; }

        // {"content":"Hi"}, {"tool_calls":[{"index":0,"id":"c1","function":{"name":"weather","arguments":"{\"ci"}}]}
        public void Take(JsonElement message)
        {
            _reasoning.Append(MessageJson.TextOf(message, "reasoning_content"u8) ?? MessageJson.TextOf(message, "reasoning"u8));
            Text.Append(MessageJson.TextOf(message, "content"u8)).Append(MessageJson.TextOf(message, "refusal"u8));
            if (!message.TryGetProperty("tool_calls"u8, out var calls) || calls.ValueKind != JsonValueKind.Array)
            {
                return;
            }

            foreach (var (place, said) in calls.EnumerateArray().Index())
            {
                if (said.ValueKind != JsonValueKind.Object)
                {
                    continue;
                }

                // A whole answer does not number them.
                var index = NumberOf(said) ?? place;
                if (!_calls.TryGetValue(index, out var call))
                {
                    _calls[index] = call = new ToolCall();
                }

                call.Id ??= MessageJson.TextOf(said, "id"u8);
                if (said.TryGetProperty("function"u8, out var function))
                {
                    call.Name ??= MessageJson.TextOf(function, "name"u8);
                    call.Arguments.Append(MessageJson.TextOf(function, "arguments"u8));
                }
            }
        }

        public void WriteParts(Utf8JsonWriter json)
        {
            if (_reasoning.Length > 0)
            {
                MessageJson.WriteText(json, _reasoning.ToString(), "reasoning"u8);
            }

            if (Text.Length > 0)
            {
                MessageJson.WriteText(json, Text.ToString(), "text"u8);
            }

            foreach (var call in _calls.Values)
            {
                MessageJson.WriteToolCall(json, call.Id, call.Name, call.Arguments.ToString());
            }
        }
    }

    private sealed class ToolCall
    {
        public string? Id { get; set; }

        public string? Name { get; set; }

        public StringBuilder Arguments { get; } = new();
    }
}
