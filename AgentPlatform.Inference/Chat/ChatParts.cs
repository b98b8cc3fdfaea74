using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>A choice of an answer that is given as a whole.</summary>
/// <param name="Content">Its text.</param>
/// <param name="FinishReason">Why it ends: <c>stop</c> or <c>length</c>.</param>
/// <param name="Logprobs">One for each token; null if nobody asked.</param>
public sealed record ChatChoice(string Content, string FinishReason, IReadOnlyList<TokenLogprob>? Logprobs = null);

/// <summary>A token and the natural logarithm of its probability.</summary>
public readonly record struct TokenProbability(ReadOnlyMemory<byte> Bytes, double Logprob);

/// <summary>A token of an answer with its probability, and those of the likeliest tokens at its place.</summary>
public sealed record TokenLogprob(TokenProbability Chosen, IReadOnlyList<TokenProbability> Top);

/// <summary>
/// Writes the parts of one chat answer into one buffer, so that a token costs no allocation. Each part ends the one before.
/// </summary>
/// <remarks>One caller at a time.</remarks>
public sealed class ChatParts : IDisposable
{
    // JSON has no infinity; OpenAI's own API writes this for a token that cannot be.
    private const double Impossible = -9999;

    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _json;

    public ChatParts() =>
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>
    /// A choice's first part, which tells its role and nothing else, as OpenAI's does: some clients take what else is in it twice. Sample:
    /// <c>{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}</c>
    /// </summary>
    public ReplyPart Role(int index) => Delta(index, "", isRole: true);

    /// <summary>Sample: <c>{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}</c></summary>
    public ReplyPart Token(int index, string text, IReadOnlyList<TokenLogprob>? logprobs = null) => Delta(index, text, logprobs: logprobs);

    /// <summary>Sample: <c>{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}</c></summary>
    /// <param name="index">Which choice ends.</param>
    /// <param name="reason">Why.</param>
    /// <param name="own">Writes members of an object <c>agentplatform</c> beside <c>choices</c>; other clients skip it.</param>
    public ReplyPart Finish(int index, string reason, Action<Utf8JsonWriter>? own = null) => Delta(index, text: null, reason, own: own);

    /// <summary>Sample: <c>{"choices":[{"index":0,"delta":{},"finish_reason":null}],"agentplatform":{…}}</c></summary>
    public ReplyPart Progress(int index, Action<Utf8JsonWriter> own) => Delta(index, text: null, own: own);

    /// <summary>
    /// Sample: <c>{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{…}}</c>
    /// </summary>
    /// <param name="choices">The choices, in their order.</param>
    /// <param name="usage">The tokens that they took; null if nobody counts them.</param>
    /// <param name="own">Writes members of an object <c>agentplatform</c> beside <c>choices</c>; other clients skip it.</param>
    public ReplyPart Result(IEnumerable<ChatChoice> choices, TokenUsage? usage, Action<Utf8JsonWriter>? own = null)
    {
        Begin();
        var index = 0;
        foreach (var choice in choices)
        {
            _json.WriteStartObject();
            _json.WriteNumber("index"u8, index++);
            _json.WriteStartObject("message"u8);
            _json.WriteString("role"u8, "assistant"u8);
            _json.WriteString("content"u8, choice.Content);
            _json.WriteEndObject();
            Write(choice.Logprobs);
            _json.WriteString("finish_reason"u8, choice.FinishReason);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        if (usage is { } counted)
        {
            _json.WritePropertyName("usage"u8);
            Write(counted);
        }

        Write(own);
        return End(ReplyKind.Result);
    }

    /// <summary>Sample: <c>{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}</c>; empty if nobody counts tokens.</summary>
    public ReplyPart End(TokenUsage? usage)
    {
        Reset();
        if (usage is { } counted)
        {
            Write(counted);
        }

        return Part(ReplyKind.End);
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private ReplyPart Delta(
        int index, string? text, string? finishReason = null, bool isRole = false, IReadOnlyList<TokenLogprob>? logprobs = null,
        Action<Utf8JsonWriter>? own = null)
    {
        Begin();
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, index);
        _json.WriteStartObject("delta"u8);
        if (isRole)
        {
            _json.WriteString("role"u8, "assistant"u8);
        }

        if (text is not null)
        {
            _json.WriteString("content"u8, text);
        }

        _json.WriteEndObject();
        Write(logprobs);
        _json.WriteString("finish_reason"u8, finishReason);
        _json.WriteEndObject();
        _json.WriteEndArray();
        Write(own);
        return End(ReplyKind.Delta);
    }

    private void Write(Action<Utf8JsonWriter>? own)
    {
        if (own is not null)
        {
            _json.WriteStartObject("agentplatform"u8);
            own(_json);
            _json.WriteEndObject();
        }
    }

    // Sample: "logprobs":{"content":[{"token":"Hi","logprob":-0.1,"bytes":[72,105],"top_logprobs":[…]}]}
    private void Write(IReadOnlyList<TokenLogprob>? logprobs)
    {
        if (logprobs is null)
        {
            return;
        }

        _json.WriteStartObject("logprobs"u8);
        _json.WriteStartArray("content"u8);
        foreach (var token in logprobs)
        {
            _json.WriteStartObject();
            Write(token.Chosen);
            _json.WriteStartArray("top_logprobs"u8);
            foreach (var other in token.Top)
            {
                _json.WriteStartObject();
                Write(other);
                _json.WriteEndObject();
            }

            _json.WriteEndArray();
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void Write(in TokenProbability token)
    {
        // A part of a character shows as U+FFFD here; the bytes are exact.
        _json.WriteString("token"u8, Encoding.UTF8.GetString(token.Bytes.Span));
        _json.WriteNumber("logprob"u8, double.IsFinite(token.Logprob) ? token.Logprob : Impossible);
        _json.WriteStartArray("bytes"u8);
        foreach (var value in token.Bytes.Span)
        {
            _json.WriteNumberValue(value);
        }

        _json.WriteEndArray();
    }

    private void Write(TokenUsage usage)
    {
        _json.WriteStartObject();
        _json.WriteNumber("prompt_tokens"u8, usage.Input);
        _json.WriteNumber("completion_tokens"u8, usage.Output);
        _json.WriteNumber("total_tokens"u8, usage.Input + usage.Output);
        _json.WriteEndObject();
    }

    private void Begin()
    {
        Reset();
        _json.WriteStartObject();
        _json.WriteStartArray("choices"u8);
    }

    private void Reset()
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
    }

    private ReplyPart End(ReplyKind kind)
    {
        _json.WriteEndObject();
        return Part(kind);
    }

    private ReplyPart Part(ReplyKind kind)
    {
        _json.Flush();
        return new ReplyPart(kind, _buffer.WrittenMemory);
    }
}
