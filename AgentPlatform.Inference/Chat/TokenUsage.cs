using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>How many tokens a request took.</summary>
public readonly record struct TokenUsage(long Input, long Output)
{
    /// <summary>
    /// Reads them from the last part of an answer, null if it does not say: <see cref="ReplyKind.End"/> is OpenAI's usage object
    /// (<c>{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}</c>), <see cref="ReplyKind.Result"/> has it as <c>usage</c>.
    /// </summary>
    public static TokenUsage? Read(in ReplyPart last)
    {
        if (last.Payload.IsEmpty)
        {
            return null;
        }

        var reader = new Utf8JsonReader(last.Payload.Span, JsonLimits.Reader);
        try
        {
            return last.Kind == ReplyKind.Result && !Enter(ref reader, "usage"u8) ? null : ReadUsage(ref reader);
        }
        catch (JsonException)
        {
            // What an engine answers is the client's to judge; a span goes without.
            return null;
        }
    }

    /// <summary>Goes to the value of a member of the object that the reader is at.</summary>
    private static bool Enter(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private static TokenUsage? ReadUsage(ref Utf8JsonReader reader)
    {
        long? input = null, output = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isInput, isOutput) = (reader.ValueTextEquals("prompt_tokens"u8), reader.ValueTextEquals("completion_tokens"u8));
            reader.Read();
            if ((isInput || isOutput) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var tokens))
            {
                input = isInput ? tokens : input;
                output = isOutput ? tokens : output;
            }

            reader.Skip();
        }

        return input is { } i && output is { } o ? new TokenUsage(i, o) : null;
    }
}
