using System.Buffers;
using AgentPlatform.Inference;

namespace AgentPlatform.Messaging.Asking;

/// <summary>The <see cref="ReplyPart.ResumeState"/> of all parts of an answer so far, one behind the other, in pooled memory.</summary>
/// <remarks>A field of its owner, never a copy; not safe for concurrent use.</remarks>
internal struct ResumeStateBuffer
{
    private byte[]? _buffer;
    private int _length;

    /// <summary>What was appended; valid until the next call.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Adds the resume state of another part.</summary>
    public void Append(ReadOnlySpan<byte> state)
    {
        if (_length + state.Length > (_buffer?.Length ?? 0))
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, (_length + state.Length) * 2));
            Written.CopyTo(larger);
            Return();
            _buffer = larger;
        }

        state.CopyTo(_buffer.AsSpan(_length));
        _length += state.Length;
    }

    /// <summary>Forgets all and gives the memory back.</summary>
    public void Clear()
    {
        Return();
        (_buffer, _length) = (null, 0);
    }

    private readonly void Return()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
