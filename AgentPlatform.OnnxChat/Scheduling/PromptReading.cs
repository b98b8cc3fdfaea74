using AgentPlatform.OnnxChat.Decoding;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>A prompt that is being read, some tokens at a time so that running answers need not wait for all of it.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class PromptReading(ChatAnswer answer, Decoder decoder) : IDisposable
{
    // The same for every prompt: where it is cut must not depend on what else runs.
    private const int Chunk = 128;

    private readonly float[] _logits = new float[decoder.Layout.Vocabulary];
    private IDisposableReadOnlyCollection<OrtValue>? _outputs;
    private int _position;

    public ChatAnswer Answer => answer;

    /// <summary>The first token's logits, when all is read.</summary>
    public ReadOnlySpan<float> Logits => _logits;

    /// <summary>Reads the next tokens; whether these were the last.</summary>
    public bool Read()
    {
        var count = Math.Min(Chunk, answer.Prompt.Count - _position);
        var isLast = _position + count == answer.Prompt.Count;
        Span<int> tokens = stackalloc int[Chunk];
        for (var index = 0; index < count; index++)
        {
            tokens[index] = answer.Prompt[_position + index];
        }

        var outputs = decoder.Read(tokens[..count], _position, _outputs is null ? null : [.. _outputs.Skip(1)], isLast ? _logits : default);
        _outputs?.Dispose();
        _outputs = outputs;
        _position += count;
        return isLast;
    }

    /// <summary>Keys and values of the prompt.</summary>
    public CacheSource Source() => new((tensor, head, length, target) =>
    {
        var headBytes = decoder.Layout.HeadBytes;
        _outputs![1 + tensor].GetTensorMutableRawData().Slice(head * answer.Prompt.Count * headBytes, length * headBytes).CopyTo(target);
    });

    /// <inheritdoc/>
    public void Dispose() => _outputs?.Dispose();
}
