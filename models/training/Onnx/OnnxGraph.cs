using System.Runtime.InteropServices;

namespace AgentPlatform.Training.Onnx;

/// <summary>Writes a model of ONNX opset 17; field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.</summary>
internal sealed class OnnxGraph(string name)
{
    private const int FormatVersion = 8;
    private const int OperatorSet = 17;
    private const int IntAttribute = 2;
    private const int IntsAttribute = 7;

    private readonly List<ProtobufMessage> _nodes = [], _constants = [], _inputs = [], _outputs = [], _notes = [];

    /// <summary>Declares an input; a dimension is its size, or the name of one that varies.</summary>
    public OnnxGraph Input(string input, OnnxType type, params object[] shape)
    {
        _inputs.Add(Value(input, type, shape));
        return this;
    }

    public OnnxGraph Output(string output, OnnxType type, params object[] shape)
    {
        _outputs.Add(Value(output, type, shape));
        return this;
    }

    /// <summary>Adds an entry to the model's metadata.</summary>
    public OnnxGraph Note(string key, string value)
    {
        _notes.Add(new ProtobufMessage().Add(1, key).Add(2, value));
        return this;
    }

    /// <summary>A number without dimensions.</summary>
    public OnnxGraph Constant(string constant, float value) =>
        Constant(constant, OnnxType.Float, MemoryMarshal.AsBytes<float>([value]), []);

    public OnnxGraph Constant(string constant, long value) => Constant(constant, OnnxType.Int64, MemoryMarshal.AsBytes<long>([value]), []);

    public OnnxGraph Constant(string constant, float[] values, params int[] shape) =>
        Constant(constant, OnnxType.Float, MemoryMarshal.AsBytes<float>(values), shape);

    /// <summary>Stores values in half precision; a <c>Cast</c> widens them when the model is loaded.</summary>
    public OnnxGraph HalfConstant(string constant, float[] values, params int[] shape) =>
        Constant(constant, OnnxType.Float16, MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)), shape);

    public OnnxGraph Constant(string constant, sbyte[] values, params int[] shape) =>
        Constant(constant, OnnxType.Int8, MemoryMarshal.AsBytes<sbyte>(values), shape);

    public OnnxGraph Constant(string constant, int value) => Constant(constant, OnnxType.Int32, MemoryMarshal.AsBytes<int>([value]), []);

    public OnnxGraph Constant(string constant, int[] values) =>
        Constant(constant, OnnxType.Int32, MemoryMarshal.AsBytes<int>(values), [values.Length]);

    public OnnxGraph Constant(string constant, long[] values) =>
        Constant(constant, OnnxType.Int64, MemoryMarshal.AsBytes<long>(values), [values.Length]);

    /// <summary>Adds an operator with one output; attributes are an int or a list of ints.</summary>
    public OnnxGraph Node(string operation, string[] inputs, string output, params (string Name, object Value)[] attributes) =>
        Node(operation, inputs, [output], attributes);

    /// <summary>Adds an operator; its name is that of its first output.</summary>
    public OnnxGraph Node(string operation, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new ProtobufMessage();
        foreach (var input in inputs)
        {
            node.Add(1, input);
        }

        foreach (var output in outputs)
        {
            node.Add(2, output);
        }

        node.Add(3, outputs[0]).Add(4, operation);
        foreach (var (attribute, value) in attributes)
        {
            var message = new ProtobufMessage().Add(1, attribute);
            if (value is long[] many)
            {
                foreach (var each in many)
                {
                    message.Add(8, each);
                }

                message.Add(20, IntsAttribute);
            }
            else
            {
                message.Add(3, (int)value).Add(20, IntAttribute);
            }

            node.Add(5, message);
        }

        _nodes.Add(node);
        return this;
    }

    public byte[] ToBytes()
    {
        var graph = new ProtobufMessage();
        AddAll(1, _nodes);
        graph.Add(2, name);
        AddAll(5, _constants);
        AddAll(11, _inputs);
        AddAll(12, _outputs);
        var operators = new ProtobufMessage().Add(1, "").Add(2, OperatorSet);
        var model = new ProtobufMessage().Add(1, FormatVersion).Add(2, "AgentPlatform.Training").Add(7, graph).Add(8, operators);
        _notes.ForEach(note => model.Add(14, note));
        return model.ToBytes();

        void AddAll(int field, List<ProtobufMessage> messages) => messages.ForEach(message => graph.Add(field, message));
    }

    private OnnxGraph Constant(string constant, OnnxType type, ReadOnlySpan<byte> littleEndian, int[] shape)
    {
        var tensor = new ProtobufMessage();
        foreach (var size in shape)
        {
            tensor.Add(1, size);
        }

        _constants.Add(tensor.Add(2, (int)type).Add(8, constant).Add(9, littleEndian));
        return this;
    }

    private static ProtobufMessage Value(string value, OnnxType type, object[] shape)
    {
        var dimensions = new ProtobufMessage();
        foreach (var size in shape)
        {
            dimensions.Add(1, size is string variable ? new ProtobufMessage().Add(2, variable) : new ProtobufMessage().Add(1, (int)size));
        }

        var tensor = new ProtobufMessage().Add(1, (int)type).Add(2, dimensions);
        return new ProtobufMessage().Add(1, value).Add(2, new ProtobufMessage().Add(1, tensor));
    }
}
