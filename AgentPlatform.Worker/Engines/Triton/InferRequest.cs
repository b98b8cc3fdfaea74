using System.Buffers;
using System.Text.Json;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>
/// Writes bodies of the protocol's <c>infer</c>, with tensors as JSON:
/// <c>{"inputs":[{"name":"TEXT","shape":[2,1],"datatype":"BYTES","data":["a","b"]}],"outputs":[{"name":"scores"}]}</c>.
/// </summary>
internal static class InferRequest
{
    /// <summary>The request for <paramref name="output"/>.</summary>
    /// <param name="output">The tensor to answer with; a server may leave out others.</param>
    /// <param name="inputs">Each with how many items its first dimension has and a method that writes its values, row by row.</param>
    public static ReadOnlyMemory<byte> Write(
        TritonTensor output, params IEnumerable<(TritonTensor Tensor, long[] Shape, Action<Utf8JsonWriter> WriteValues)> inputs)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("inputs"u8);
            foreach (var (tensor, shape, writeValues) in inputs)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, tensor.Name);
                json.WriteStartArray("shape"u8);
                foreach (var dimension in shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteString("datatype"u8, tensor.Datatype);
                json.WriteStartArray("data"u8);
                writeValues(json);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("outputs"u8);
            json.WriteStartObject();
            json.WriteString("name"u8, output.Name);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return body.WrittenMemory;
    }
}
