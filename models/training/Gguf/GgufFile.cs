using System.Runtime.InteropServices;
using System.Text;

namespace AgentPlatform.Training.Gguf;

/// <summary>
/// Writes a GGUF file, version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): named values, then tensors.
/// </summary>
internal sealed class GgufFile
{
    private const int Alignment = 32;

    // Types of values, and of tensors.
    private const uint UInt32 = 4, Int32 = 5, Float32 = 6, Boolean = 7, Text = 8, Array = 9;
    private const uint FloatTensor = 0, HalfTensor = 1;

    private readonly List<(string Name, Action<BinaryWriter> Value)> _values = [];
    private readonly List<(string Name, uint Type, int[] Shape, byte[] Data)> _tensors = [];

    public GgufFile Add(string name, int value) => Add(name, UInt32, writer => writer.Write((uint)value));

    public GgufFile Add(string name, float value) => Add(name, Float32, writer => writer.Write(value));

    public GgufFile Add(string name, bool value) => Add(name, Boolean, writer => writer.Write(value));

    public GgufFile Add(string name, string value) => Add(name, Text, writer => Write(writer, value));

    public GgufFile Add(string name, IReadOnlyCollection<string> values) => AddArray(name, Text, values, Write);

    public GgufFile Add(string name, IReadOnlyCollection<int> values) =>
        AddArray(name, Int32, values, (writer, value) => writer.Write(value));

    /// <summary>Adds a vector in single precision.</summary>
    public GgufFile AddVector(string name, float[] values)
    {
        _tensors.Add((name, FloatTensor, [values.Length], MemoryMarshal.AsBytes<float>(values).ToArray()));
        return this;
    }

    /// <summary>Adds a matrix in half precision, stored row by row.</summary>
    public GgufFile AddMatrix(string name, float[] values, int columns)
    {
        // The length of a row comes first.
        _tensors.Add((
            name, HalfTensor, [columns, values.Length / columns],
            MemoryMarshal.AsBytes<Half>(System.Array.ConvertAll(values, value => (Half)value)).ToArray()));
        return this;
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_values.Count);
        foreach (var (name, value) in _values)
        {
            Write(writer, name);
            value(writer);
        }

        var offset = 0UL;
        foreach (var (name, type, shape, data) in _tensors)
        {
            Write(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape)
            {
                writer.Write((ulong)size);
            }

            writer.Write(type);
            writer.Write(offset);
            offset += (ulong)Aligned(data.Length);
        }

        foreach (var (_, _, _, data) in _tensors)
        {
            writer.Write(new byte[Aligned(stream.Position) - stream.Position]);
            writer.Write(data);
        }

        writer.Write(new byte[Aligned(stream.Position) - stream.Position]);
        return stream.ToArray();
    }

    private GgufFile Add(string name, uint type, Action<BinaryWriter> value)
    {
        void Write(BinaryWriter writer)
        {
            writer.Write(type);
            value(writer);
        }

        _values.Add((name, Write));
        return this;
    }

    private GgufFile AddArray<T>(string name, uint type, IReadOnlyCollection<T> values, Action<BinaryWriter, T> write) =>
        Add(name, Array, writer =>
    {
        writer.Write(type);
        writer.Write((ulong)values.Count);
        foreach (var value in values)
        {
            write(writer, value);
        }
    });

    private static void Write(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static long Aligned(long position) => (position + Alignment - 1) / Alignment * Alignment;
}
