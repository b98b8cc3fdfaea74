using System.Buffers;
using System.Buffers.Binary;

namespace AgentPlatform.Messaging.Wire;

/// <summary>
/// The wire format of reply messages: many frames in one message, since a worker's decode step makes a frame for each of its
/// streams and the broker's cost is per message. Binary, so that a gateway reads a token without allocating.
/// </summary>
/// <remarks>
/// <code>
/// message: version (1 byte, now 2), then frames to the end
/// frame:   length of what follows (u32) | request id (16, big-endian UUID) | attempt (u16) | offset (u32) | kind (u8)
///          | length of the resume state (u16) | resume state | payload
/// </code>
/// Numbers are little-endian. A reader refuses a version that it does not know.
/// </remarks>
public static class FrameBatch
{
    /// <summary>First byte of every message of this format.</summary>
    public const byte Version = 2;

    private const int LengthSize = 4;
    private const int HeaderSize = 16 + 2 + 4 + 1 + 2;

    /// <summary>How many bytes <paramref name="frame"/> adds to a message.</summary>
    public static int SizeOf(in Frame frame) => LengthSize + HeaderSize + frame.ResumeState.Length + frame.Payload.Length;

    /// <summary>Begins a message.</summary>
    public static void Begin(IBufferWriter<byte> message)
    {
        message.GetSpan(1)[0] = Version;
        message.Advance(1);
    }

    /// <summary>Appends a frame to a message that was begun.</summary>
    /// <exception cref="OverflowException">Its resume state is longer than 65,535 bytes.</exception>
    public static void Append(IBufferWriter<byte> message, in Frame frame)
    {
        var size = SizeOf(frame);
        var span = message.GetSpan(size);
        BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)(size - LengthSize));
        frame.RequestId.TryWriteBytes(span[LengthSize..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16LittleEndian(span[20..], frame.Attempt);
        BinaryPrimitives.WriteUInt32LittleEndian(span[22..], frame.Offset);
        span[26] = (byte)frame.Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(span[27..], checked((ushort)frame.ResumeState.Length));
        frame.ResumeState.Span.CopyTo(span[(LengthSize + HeaderSize)..]);
        frame.Payload.Span.CopyTo(span[(LengthSize + HeaderSize + frame.ResumeState.Length)..]);
        message.Advance(size);
    }

    /// <summary>
    /// Reads the frames of <paramref name="message"/> in order; their payloads are slices of it. A frame that cannot be read is
    /// <see cref="FrameKind.Unreadable"/>: it concerns its own request, and none of the others that share the message.
    /// </summary>
    /// <exception cref="FormatException">Another version, or a cut message.</exception>
    public static Reader Read(ReadOnlyMemory<byte> message)
    {
        if (message.IsEmpty || message.Span[0] != Version)
        {
            throw new FormatException(message.IsEmpty
                ? "A reply message is empty."
                : $"A reply message has version {message.Span[0]}; this build reads version {Version}.");
        }

        return new Reader(message[1..]);
    }

    /// <summary>Enumerates the frames of a message without allocating.</summary>
    public ref struct Reader(ReadOnlyMemory<byte> rest)
    {
        private ReadOnlyMemory<byte> _rest = rest;

        /// <summary>The frame that <see cref="MoveNext"/> came to.</summary>
        public Frame Current { get; private set; }

        /// <summary>Goes to the next frame; false at the message's end.</summary>
        /// <exception cref="FormatException">The message is cut.</exception>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var length = _rest.Length >= LengthSize ? BinaryPrimitives.ReadUInt32LittleEndian(_rest.Span) : 0;
            if (length < HeaderSize || length > _rest.Length - LengthSize)
            {
                throw new FormatException("A reply message ends inside a frame.");
            }

            var span = _rest.Span[LengthSize..];
            var kind = (FrameKind)span[22];
            var state = BinaryPrimitives.ReadUInt16LittleEndian(span[23..]);
            if (kind is < FrameKind.Started or > FrameKind.Returned || state > length - HeaderSize)
            {
                (kind, state) = (FrameKind.Unreadable, 0);
            }

            Current = new Frame(
                new Guid(span[..16], bigEndian: true),
                BinaryPrimitives.ReadUInt16LittleEndian(span[16..]),
                BinaryPrimitives.ReadUInt32LittleEndian(span[18..]),
                kind,
                _rest.Slice(LengthSize + HeaderSize + state, (int)length - HeaderSize - state),
                _rest.Slice(LengthSize + HeaderSize, state));
            _rest = _rest[(LengthSize + (int)length)..];
            return true;
        }

        /// <summary>Makes the reader usable in <c>foreach</c>.</summary>
        public readonly Reader GetEnumerator() => this;
    }
}
