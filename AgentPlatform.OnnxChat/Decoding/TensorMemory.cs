using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace AgentPlatform.OnnxChat.Decoding;

/// <summary>
/// Memory of a tensor that ONNX Runtime reads or writes in place: it does not move, and is aligned as the runtime aligns its own.
/// </summary>
/// <remarks>One caller at a time. It must be referenced as long as tensors over it are used.</remarks>
internal sealed class TensorMemory
{
    private const int Alignment = 64;

    private readonly byte[] _memory;
    private readonly int _start;

    /// <exception cref="OutOfMemoryException">There is not so much, or it is more than one array can have.</exception>
    public TensorMemory(long bytes)
    {
        if (bytes > Array.MaxLength - Alignment)
        {
            throw new InsufficientMemoryException($"A tensor of {bytes} bytes is too large.");
        }

        // Zeros: what is not used yet is masked, which a number stands and NaN does not.
        Bytes = (int)bytes;
        _memory = GC.AllocateArray<byte>(Bytes + Alignment, pinned: true);
        _start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0) & (Alignment - 1));
    }

    public int Bytes { get; }

    /// <summary>Some bytes of it.</summary>
    public Span<byte> Span(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Bytes);
        return _memory.AsSpan(_start + offset, length);
    }

    /// <summary>A tensor over the first bytes of this memory.</summary>
    public Span<T> Numbers<T>(int count) where T : unmanaged => MemoryMarshal.Cast<byte, T>(_memory.AsSpan(_start, Bytes))[..count];

    /// <summary>A tensor over its beginning.</summary>
    public OrtValue Tensor(TensorElementType type, params long[] shape)
    {
        var size = type is TensorElementType.Int64 ? sizeof(long) : DecoderLayout.BytesOf(type);
        var bytes = shape.Aggregate((long)size, (product, dimension) => product * dimension);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Bytes);
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, type, shape, Marshal.UnsafeAddrOfPinnedArrayElement(_memory, _start), bytes);
    }
}
