using System.Buffers;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Testing.Chaos;

/// <summary>One choice of an answer as the client has it.</summary>
internal sealed class AnswerChoice
{
    public StringBuilder Text { get; } = new();

    /// <summary>How often the role was told: once, if nothing was replayed.</summary>
    public int Roles { get; set; }

    public string? FinishReason { get; set; }
}

/// <summary>What a client received, event by event, and when.</summary>
internal sealed class Answer
{
    private readonly ResponseFraming _framing = new();
    private readonly ArrayBufferWriter<byte> _body = new();
    private int _read;
    private long _lastEvent;

    /// <summary>0: no response came.</summary>
    public int Status => _framing.Status;

    public bool HasRetryAfter => int.TryParse(_framing.RetryAfter, out var seconds) && seconds >= 0;

    /// <summary>Whether the response ended as HTTP ends one.</summary>
    public bool IsWhole => _framing.IsEnd;

    /// <summary>Whether the stream was closed by <c>[DONE]</c>, or the whole answer was read.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Code or type of the error that was told.</summary>
    public string? Error { get; private set; }

    /// <summary>What was not to be in an answer.</summary>
    public string? Oddity { get; private set; }

    /// <summary>The client gave up waiting.</summary>
    public bool IsHung { get; set; }

    /// <summary>The client left on purpose.</summary>
    public bool IsLeft { get; set; }

    public List<AnswerChoice> Choices { get; } = [];

    /// <summary>OpenAI's usage object, as it came.</summary>
    public string? Usage { get; private set; }

    /// <summary>The id that the platform gave to the request.</summary>
    public Guid RequestId { get; private set; }

    /// <summary>How many events have come.</summary>
    public int Events { get; private set; }

    /// <summary>When it was asked, in ticks of the clock.</summary>
    public long Asked { get; } = TimeProvider.System.GetTimestamp();

    /// <summary>When the first event came; 0 until then.</summary>
    public long First { get; private set; }

    /// <summary>The longest time between two events.</summary>
    public TimeSpan LongestSilence { get; private set; }

    /// <summary>Takes the next bytes.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _framing.Feed(bytes, _body);
            if (_framing is { HasHead: true, IsEventStream: true })
            {
                ReadLines();
            }
            else if (_framing.IsEnd)
            {
                ReadWhole();
            }
        }
        catch (Exception e) when (e is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            Oddity ??= e.Message;
        }
    }

    private void ReadLines()
    {
        while (_body.WrittenSpan[_read..].IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = _body.WrittenMemory.Slice(_read, length);
            _read += length + 1;
            if (line.Span.StartsWith("data: "u8))
            {
                ReadEvent(line[6..]);
            }
        }

        if (_read == _body.WrittenCount)
        {
            _body.ResetWrittenCount();
            _read = 0;
        }
    }

    private void ReadEvent(ReadOnlyMemory<byte> data)
    {
        var now = TimeProvider.System.GetTimestamp();
        if (First == 0)
        {
            First = now;
        }
        else if (TimeProvider.System.GetElapsedTime(_lastEvent, now) is var silence && silence > LongestSilence)
        {
            LongestSilence = silence;
        }

        (_lastEvent, Events) = (now, Events + 1);
        if (IsDone || Error is not null)
        {
            Oddity ??= "An event follows the last one.";
        }
        else if (data.Span.SequenceEqual("[DONE]"u8))
        {
            IsDone = true;
        }
        else
        {
            using var json = JsonDocument.Parse(data);
            ReadObject(json.RootElement, "delta");
        }
    }

    private void ReadWhole()
    {
        using var json = JsonDocument.Parse(_body.WrittenMemory);
        ReadObject(json.RootElement, "message");
        IsDone = Error is null;
    }

    private void ReadObject(JsonElement root, string piece)
    {
        if (root.TryGetProperty("error", out var error))
        {
            Error = error.GetProperty("code").GetString() ?? error.GetProperty("type").GetString();
            return;
        }

        if (RequestId == default && root.GetProperty("id").GetString() is { } id
            && Guid.TryParse(id.AsSpan(id.IndexOf('-') + 1), out var request))
        {
            RequestId = request;
        }

        if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            Usage = Usage is null ? usage.GetRawText() : throw new FormatException("The usage came twice.");
        }

        foreach (var choice in root.GetProperty("choices").EnumerateArray())
        {
            var index = choice.GetProperty("index").GetInt32();
            while (Choices.Count <= index)
            {
                Choices.Add(new AnswerChoice());
            }

            Read(choice, choice.GetProperty(piece), Choices[index]);
        }
    }

    private static void Read(JsonElement from, JsonElement piece, AnswerChoice to)
    {
        to.Roles += piece.TryGetProperty("role", out _) ? 1 : 0;
        if (piece.TryGetProperty("content", out var content))
        {
            to.Text.Append(to.FinishReason is null ? content.GetString() : throw new FormatException("Text follows the end of a choice."));
        }

        if (from.GetProperty("finish_reason").GetString() is { } reason)
        {
            to.FinishReason = to.FinishReason is null ? reason : throw new FormatException("A choice ended twice.");
        }
    }
}
