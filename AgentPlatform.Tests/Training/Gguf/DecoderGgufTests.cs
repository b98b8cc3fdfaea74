using System.Text;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.Gguf;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Tests.Training.Gguf;

public class DecoderGgufTests
{
    private static readonly BytePairVocabulary _vocabulary = BytePairTrainer.Train(["the queue of the model"], size: 262);
    private static readonly DecoderShape _shape = new(
        _vocabulary.Tokens.Count, Layers: 2, Width: 16, Heads: 4, KeyValueHeads: 2, HeadSize: 4, Hidden: 24, Context: 64);
    private static readonly DecoderWeights _weights = DecoderWeights.Random(_shape, seed: 5);

    // Two heads of four rows: 0 turns with 2, and 1 with 3.
    private static readonly int[] _sideBySide = [0, 2, 1, 3, 4, 6, 5, 7];

    [Fact]
    public void Write_HoldsEachTensorAtItsAlignedPlace()
    {
        var tensors = Read(DecoderGguf.Write("name", "description", _shape, _weights, _vocabulary, "template"));

        Assert.Equal(2 + (_shape.Layers * 9), tensors.Count);
        Assert.Equal(_weights.Embedding, tensors["token_embd.weight"]);
        Assert.Equal(_weights.FinalNorm, tensors["output_norm.weight"]);
        Assert.Equal(_weights.Layers[1].Down, tensors["blk.1.ffn_down.weight"]);
        Assert.Equal(_weights.Layers[0].Value, tensors["blk.0.attn_v.weight"]);
    }

    [Fact]
    public void Write_PutsTheRowsThatTurnTogetherSideBySide()
    {
        var keys = Read(DecoderGguf.Write("name", "description", _shape, _weights, _vocabulary, "template"))["blk.1.attn_k.weight"]
            .Chunk(_shape.Width).ToArray();

        Assert.Equal(_sideBySide.Select(row => _weights.Layers[1].Key.Chunk(_shape.Width).ElementAt(row)), keys);
    }

    private static Dictionary<string, float[]> Read(byte[] file)
    {
        using var reader = new BinaryReader(new MemoryStream(file));
        Assert.Equal("GGUF", Encoding.ASCII.GetString(reader.ReadBytes(4)));
        Assert.Equal(3u, reader.ReadUInt32());
        var (tensorCount, valueCount) = (reader.ReadUInt64(), reader.ReadUInt64());
        for (; valueCount > 0; valueCount--)
        {
            Text(reader);
            Skip(reader, reader.ReadUInt32());
        }

        var places = new List<(string Name, uint Type, int Count, long Offset)>();
        for (; tensorCount > 0; tensorCount--)
        {
            var name = Text(reader);
            var count = Enumerable.Range(0, reader.ReadInt32()).Select(_ => (int)reader.ReadUInt64())
                .Aggregate((one, other) => one * other);
            places.Add((name, reader.ReadUInt32(), count, reader.ReadInt64()));
        }

        var start = (reader.BaseStream.Position + 31) / 32 * 32;
        return places.ToDictionary(place => place.Name, place =>
        {
            Assert.Equal(0, place.Offset % 32);
            reader.BaseStream.Position = start + place.Offset;
            return Enumerable.Range(0, place.Count).Select(_ => place.Type == 1 ? (float)reader.ReadHalf() : reader.ReadSingle()).ToArray();
        });
    }

    private static void Skip(BinaryReader reader, uint type)
    {
        switch (type)
        {
            case 7:
                reader.ReadByte();
                break;
            case 8:
                Text(reader);
                break;
            case 9:
                var element = reader.ReadUInt32();
                for (var left = reader.ReadUInt64(); left > 0; left--)
                {
                    Skip(reader, element);
                }

                break;
            default:
                reader.ReadUInt32();
                break;
        }
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));
}
