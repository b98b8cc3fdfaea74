using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.OnnxChat.Decoding;

/// <summary>
/// What a run gives: logits, and keys and values with the new token behind
/// the last slot. All groups use the same memory, one after another.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class PresentMemory(DecoderLayout layout)
{
    private readonly TensorMemory[] _memory = new TensorMemory[layout.Tensors];
    private TensorMemory? _logits;

    /// <summary>Changes when tensors over the memory are of no more use.</summary>
    public int Version { get; private set; }

    /// <summary>Makes room for the run of a batch.</summary>
    public void Reserve(int rows, int slots)
    {
        var bytes = rows * (slots + 1L) * layout.TokenBytes;
        var logitBytes = (long)rows * layout.Vocabulary * DecoderLayout.BytesOf(layout.LogitElement);
        if (_logits is not null && bytes <= _memory[0]?.Bytes && logitBytes <= _logits.Bytes)
        {
            return;
        }

        Version++;
        _logits = new TensorMemory(Math.Max(logitBytes, _logits?.Bytes ?? 0));

        // The first one last, since its size stands for that of all: there may not be enough memory for them.
        for (var index = _memory.Length - 1; index >= 0; index--)
        {
            _memory[index] = new TensorMemory(Math.Max(bytes, _memory[index]?.Bytes ?? 0));
        }
    }

    /// <summary>The outputs of a run, over memory that was reserved.</summary>
    public List<OrtValue> Tensors(int rows, int slots) =>
    [
        _logits!.Tensor(layout.LogitElement, rows, 1, layout.Vocabulary),
        .. _memory.Select(memory => memory.Tensor(layout.Element, rows, layout.Heads, slots + 1, layout.HeadSize)),
    ];

    /// <summary>Key or value of one token in a run over <paramref name="slots"/> slots.</summary>
    public ReadOnlySpan<byte> Token(int tensor, int row, int head, int slots, int slot) =>
        _memory[tensor].Span(checked((((row * layout.Heads) + head) * (slots + 1) + slot) * layout.HeadBytes), layout.HeadBytes);
}
