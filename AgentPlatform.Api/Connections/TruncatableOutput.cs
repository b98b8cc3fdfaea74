using System.Buffers;
using System.IO.Pipelines;

namespace AgentPlatform.Api.Connections;

/// <summary>
/// A connection's two directions; from <see cref="Truncate"/> on nothing more is sent, though the server goes on writing.
/// </summary>
/// <remarks>One writer, like every pipe; <see cref="Truncate"/> comes from the request that writes.</remarks>
internal sealed class TruncatableOutput(IDuplexPipe transport) : PipeWriter, IDuplexPipe, ITruncationFeature
{
    private readonly PipeWriter _output = transport.Output;
    private byte[]? _discarded;

    /// <inheritdoc/>
    public PipeReader Input => transport.Input;

    PipeWriter IDuplexPipe.Output => this;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => _output.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => _output.UnflushedBytes;

    /// <inheritdoc/>
    public void Truncate() => _discarded = [];

    /// <summary>Sends this, and then ends: whatever the server would answer is left out.</summary>
    public void EndWith(ReadOnlySpan<byte> response)
    {
        _output.Write(response);
        Truncate();
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _discarded is null ? _output.GetMemory(sizeHint) : Discarded(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _discarded is null ? _output.GetSpan(sizeHint) : Discarded(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (_discarded is null)
        {
            _output.Advance(bytes);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => _output.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _output.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => _output.CompleteAsync(exception);

    private byte[] Discarded(int size)
    {
        if (_discarded!.Length < Math.Max(size, 1))
        {
            _discarded = new byte[Math.Max(size, 256)];
        }

        return _discarded;
    }
}
