using System.Buffers;
using System.Text.Json;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Worker.Engines.Simulated;

/// <summary>Writes the parts of one chat answer into one buffer, so that a token costs no allocation. Each part ends the one before.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class ChatJson : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _json;

    public ChatJson() => _json = new Utf8JsonWriter(_buffer);

    /// <summary>Sample: <c>{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}</c></summary>
    public ReplyPart Token(int index, string text, bool first)
    {
        Begin();
        _json.WriteStartObject();
        _json.WriteStartArray("choices"u8);
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, index);
        _json.WriteStartObject("delta"u8);
        if (first)
        {
            _json.WriteString("role"u8, "assistant"u8);
        }

        _json.WriteString("content"u8, text);
        _json.WriteEndObject();
        _json.WriteNull("finish_reason"u8);
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
        return Part(ReplyKind.Delta);
    }

    /// <summary>Sample: <c>{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}</c></summary>
    public ReplyPart Finish(int index, string reason)
    {
        Begin();
        _json.WriteStartObject();
        _json.WriteStartArray("choices"u8);
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, index);
        _json.WriteStartObject("delta"u8);
        _json.WriteEndObject();
        _json.WriteString("finish_reason"u8, reason);
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
        return Part(ReplyKind.Delta);
    }

    /// <summary>Sample: <c>{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{…}}</c></summary>
    public ReplyPart Result(SimulatedAnswer answer)
    {
        Begin();
        _json.WriteStartObject();
        _json.WriteStartArray("choices"u8);
        for (var index = 0; index < answer.Choices.Count; index++)
        {
            _json.WriteStartObject();
            _json.WriteNumber("index"u8, index);
            _json.WriteStartObject("message"u8);
            _json.WriteString("role"u8, "assistant"u8);
            _json.WriteString("content"u8, string.Concat(answer.Choices[index].Tokens));
            _json.WriteEndObject();
            _json.WriteString("finish_reason"u8, answer.Choices[index].FinishReason);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WritePropertyName("usage"u8);
        Usage(answer);
        _json.WriteEndObject();
        return Part(ReplyKind.Result);
    }

    /// <summary>Sample: <c>{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}</c></summary>
    public ReplyPart End(SimulatedAnswer answer)
    {
        Begin();
        Usage(answer);
        return Part(ReplyKind.End);
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void Usage(SimulatedAnswer answer)
    {
        _json.WriteStartObject();
        _json.WriteNumber("prompt_tokens"u8, answer.PromptTokens);
        _json.WriteNumber("completion_tokens"u8, answer.CompletionTokens);
        _json.WriteNumber("total_tokens"u8, answer.PromptTokens + answer.CompletionTokens);
        _json.WriteEndObject();
    }

    private void Begin()
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
    }

    private ReplyPart Part(ReplyKind kind)
    {
        _json.Flush();
        return new ReplyPart(kind, _buffer.WrittenMemory);
    }
}
