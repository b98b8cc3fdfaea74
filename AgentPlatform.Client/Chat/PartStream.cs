using System.Buffers;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;

namespace AgentPlatform.Client.Chat;

/// <summary>
/// A streamed answer as the server-sent events that a server would send, made as they are read. The request starts with the first read;
/// disposing of the stream gives it up.
/// </summary>
/// <remarks>One reader.</remarks>
internal sealed class PartStream : Stream
{
    private readonly ArrayBufferWriter<byte> _output = new(1024);
    private readonly CancellationTokenSource _work;
    private readonly CancellationTokenSource _deadline;
    private readonly ChatEvents _events;
    private readonly IAsyncEnumerator<ReplyPart> _parts;
    private int _read;
    private bool _isOver;
    private int _hasEnded;

    public PartStream(IInference inference, InferenceRequest request, TimeSpan timeout, TimeProvider time)
    {
        _deadline = new CancellationTokenSource(timeout, time);
        _work = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
        _events = new ChatEvents(ChatEnvelope.ForChunks(request, time.GetUtcNow()), includeUsage: true);
        _parts = inference.RunAsync(request, _work.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="InferenceException">The request failed.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_read == _output.WrittenCount && !_isOver)
        {
            await NextAsync(cancellationToken);
        }

        var count = Math.Min(buffer.Length, _output.WrittenCount - _read);
        _output.WrittenMemory.Slice(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("An answer is read asynchronously.");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await EndAsync();
        await base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // OpenAI's client disposes of its responses synchronously. Nobody reads any more, so giving up waits for nobody.
            _ = EndAsync();
        }

        base.Dispose(disposing);
    }

    private async Task EndAsync()
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0)
        {
            await _work.CancelAsync();
            await _parts.DisposeAsync();
            _work.Dispose();
            _deadline.Dispose();
        }
    }

    private async ValueTask NextAsync(CancellationToken cancellationToken)
    {
        // Not a token of its own for each part: the enumerator keeps the one it began with.
        await using var leaving = cancellationToken.UnsafeRegister(static work => ((CancellationTokenSource)work!).Cancel(), _work);
        _output.ResetWrittenCount();
        _read = 0;
        try
        {
            if (!await _parts.MoveNextAsync())
            {
                throw new InferenceException(InferenceError.EngineFailed("The engine ended without finishing its answer."));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException) when (_deadline.IsCancellationRequested)
        {
            throw new InferenceException(InferenceError.DeadlinePassed());
        }

        Write(_parts.Current);
    }

    private void Write(in ReplyPart part)
    {
        switch (part.Kind)
        {
            case ReplyKind.Delta:
                _events.WriteDelta(_output, part.Payload.Span);
                break;
            case ReplyKind.End:
                _events.WriteUsage(_output, part.Payload.Span);
                ChatEvents.WriteDone(_output);
                _isOver = true;
                break;
            default:
                break; // A worker took the request.
        }
    }
}
