using System.Buffers;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>Reads answers of other servers whole, which is as much memory as they like to fill, and therefore only up to a limit.</summary>
public static class UpstreamContent
{
    /// <summary>Most bytes of one answer, also of one that is gathered from a stream.</summary>
    public const int MaxAnswerSize = 16 * 1024 * 1024;

    private const int MaxErrorSize = 64 * 1024;
    private const int Step = 16 * 1024;

    /// <summary>The whole content.</summary>
    /// <exception cref="InvalidDataException">It is larger than <paramref name="limit"/>.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadWholeAsync(this HttpContent content, int limit, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        var whole = await ReadAsync(content, limit + 1, cancellationToken);
        return whole.Length <= limit ? whole : throw TooLarge(limit);
    }

    /// <summary>The beginning of what should be a sentence; what follows is nobody's to read.</summary>
    public static Task<ReadOnlyMemory<byte>> ReadErrorAsync(this HttpContent content, CancellationToken cancellationToken) =>
        ReadAsync(content, MaxErrorSize, cancellationToken);

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, int most, CancellationToken cancellationToken)
    {
        var whole = new ArrayBufferWriter<byte>((int)Math.Clamp(content.Headers.ContentLength ?? Step, 1, most));
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        while (whole.WrittenCount < most)
        {
            var memory = whole.GetMemory();
            var count = await stream.ReadAsync(memory[..Math.Min(memory.Length, most - whole.WrittenCount)], cancellationToken);
            if (count == 0)
            {
                break;
            }

            whole.Advance(count);
        }

        return whole.WrittenMemory;
    }

    private static InvalidDataException TooLarge(int limit) => new($"It is larger than {limit} bytes.");
}
