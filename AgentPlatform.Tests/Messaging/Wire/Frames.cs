using System.Buffers;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Tests.Messaging.Wire;

/// <summary>Messages with frames, whole.</summary>
internal static class Frames
{
    public static byte[] Write(params IEnumerable<Frame> frames)
    {
        var message = new ArrayBufferWriter<byte>();
        FrameBatch.Begin(message);
        foreach (var frame in frames)
        {
            FrameBatch.Append(message, frame);
        }

        return message.WrittenSpan.ToArray();
    }

    public static List<Frame> Read(ReadOnlyMemory<byte> message)
    {
        List<Frame> frames = [];
        foreach (var frame in FrameBatch.Read(message))
        {
            frames.Add(frame);
        }

        return frames;
    }
}
