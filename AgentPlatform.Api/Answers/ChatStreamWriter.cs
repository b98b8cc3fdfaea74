using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Api.Connections;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Replay;
using AgentPlatform.Api.Requests;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgentPlatform.Api.Answers;

/// <summary>
/// Writes an answer as server-sent events: <c>data: {chunk}</c> for each part, then <c>data: [DONE]</c>; comments while it is silent.
/// Status and headers go out with the first part; nothing is sent before it, so that a failure until then keeps its real status.
/// </summary>
/// <remarks>
/// One writer and the heartbeat's timer share the response: whoever holds the turn writes. The writer gives it away only while it
/// waits for parts (<see cref="Yield"/>, <see cref="ResumeAsync"/>). No allocation per part.
/// </remarks>
internal sealed class ChatStreamWriter : IDisposable
{
    // What comes at once is sent at once, but in pieces that the response need not gather in memory.
    private const int FlushThreshold = 16 * 1024;

    // "id: ", a UUID, ":", the digits of an int and a line break.
    private const int MaxIdLength = 64;

    private readonly SemaphoreSlim _turn = new(0, 1);
    private readonly HttpContext _context;
    private readonly PipeWriter _output;
    private readonly ChatEvents _chat;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _stallTimeout;
    private readonly CancellationToken _deadline;
    private readonly ITimer _heartbeat;
    private readonly ResponseRecorder? _recorder;
    private readonly byte[]? _idPrefix;
    private int _events;
    private long _lastFlush;
    private int _unflushed;
    private bool _isStalled;

    // A stream on record has no heartbeats: its readers fill the silence, each on its own connection.
    public ChatStreamWriter(
        HttpContext context, ChatEvents chat, InferenceApiOptions options, RequestDeadline deadline, TimeProvider time,
        ResponseRecorder? recorder = null)
    {
        (_context, _chat, _deadline, _time, _recorder) = (context, chat, deadline.Token, time, recorder);
        (_interval, _stallTimeout) = (recorder is null ? options.HeartbeatInterval : Timeout.InfiniteTimeSpan, options.StallTimeout);
        _idPrefix = recorder is { IsResumable: true } ? Encoding.ASCII.GetBytes($"id: {RequestIdentity.Of(context)}:") : null;
        _output = context.Response.BodyWriter;
        _heartbeat = time.CreateTimer(static writer => _ = ((ChatStreamWriter)writer!).BeatAsync(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the status is the client's already, so that a failure can only be an event.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether so much waits that it should be flushed before more is written.</summary>
    public bool IsFull => _unflushed >= FlushThreshold;

    public void WriteDelta(ReadOnlySpan<byte> part)
    {
        Begin();
        Span<byte> id = stackalloc byte[MaxIdLength];
        _unflushed += _chat.WriteDelta(_output, part, id[..FormatId(id)]);
        _events++;
    }

    public void WriteEnd(ReadOnlySpan<byte> usage)
    {
        Begin();
        _recorder?.EndStream();
        Span<byte> id = stackalloc byte[MaxIdLength];
        if (_chat.WriteUsage(_output, usage, id[..FormatId(id)]) is > 0 and var written)
        {
            _unflushed += written;
            _events++;
        }

        _unflushed += ChatEvents.WriteDone(_output, id[..FormatId(id)]);
        _events++;
    }

    /// <summary>
    /// Sends an error event and ends the response without its last chunk: clients that do not know the event, such as OpenAI's for .NET,
    /// would take what they have for the whole answer.
    /// </summary>
    public async ValueTask FailAsync(InferenceError error)
    {
        if (_isStalled)
        {
            _context.Abort(); // The event would wait behind what the client does not read.
            return;
        }

        _recorder?.EndStream();
        OpenErrorEvent();
        ErrorResponse.WriteEnvelope(_output, error);
        _output.Write(ChatEvents.End);
        using var limit = new CancellationTokenSource(_stallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _context.RequestAborted);
        try
        {
            await _output.FlushAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            _context.Abort();
            return;
        }

        await _context.TruncateAsync(_time);
    }

    /// <summary>Sends what is written. Waits for a client that does not read until the request's deadline, and no longer.</summary>
    public ValueTask<FlushResult> FlushAsync()
    {
        if (_unflushed == 0)
        {
            return default;
        }

        _unflushed = 0;
        _lastFlush = _time.GetTimestamp();
        var flush = _output.FlushAsync(_deadline);
        return flush.IsCompleted ? flush : AwaitAsync(flush);
    }

    /// <summary>Lets heartbeats go out until <see cref="ResumeAsync"/>.</summary>
    public void Yield() => _turn.Release();

    /// <summary>Takes the turn back.</summary>
    public Task ResumeAsync() => _turn.WaitAsync(CancellationToken.None);

    public void Dispose() => _heartbeat.Dispose(); // The semaphore has nothing to release, and a late beat may still try it.

    private void Begin()
    {
        if (HasBegun)
        {
            return;
        }

        HasBegun = true;
        var response = _context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        _context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        _lastFlush = _time.GetTimestamp();
        _heartbeat.Change(_interval, Timeout.InfiniteTimeSpan);
    }

    private void OpenErrorEvent()
    {
        Span<byte> id = stackalloc byte[MaxIdLength];
        ChatEvents.Open(_output, id[..FormatId(id)]);
        _events++;
    }

    // id: 0199d0c4-7a3e-7c5b-9a51-2f6f0c8e4d11:7
    private int FormatId(Span<byte> line)
    {
        if (_idPrefix is null)
        {
            return 0;
        }

        _idPrefix.CopyTo(line);
        Utf8Formatter.TryFormat(_events, line[_idPrefix.Length..], out var digits);
        var length = _idPrefix.Length + digits;
        line[length] = (byte)'\n';
        return length + 1;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> AwaitAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            return await flush;
        }
        catch (OperationCanceledException)
        {
            _isStalled = true;
            throw;
        }
    }

    private async Task BeatAsync()
    {
        // Without the turn the stream is not silent.
        if (await _turn.WaitAsync(0))
        {
            try
            {
                if (_time.GetElapsedTime(_lastFlush) >= _interval)
                {
                    _output.Write(ChatEvents.Heartbeat);
                    _unflushed += ChatEvents.Heartbeat.Length;
                    await FlushAsync();
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client left, which cancels the request itself.
            }
            finally
            {
                _turn.Release();
            }
        }

        var left = _interval - _time.GetElapsedTime(_lastFlush);
        _heartbeat.Change(left > TimeSpan.Zero ? left : _interval, Timeout.InfiniteTimeSpan);
    }
}
