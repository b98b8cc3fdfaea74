using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

/// <summary>A tensor of a <see cref="ServedModel"/>; its shape includes the batch's dimension, as metadata has it.</summary>
internal sealed record ServedTensor(string Name, string Datatype, long[] Shape, bool Optional = false);

/// <summary>A model of an <see cref="InferenceServer"/>.</summary>
internal sealed record ServedModel(ServedTensor[] Inputs, ServedTensor[] Outputs)
{
    public string Name { get; init; } = "m";

    public string Version { get; init; } = "1";

    /// <summary>Most items in a request; 0 for a model without a dimension for that.</summary>
    public int MaxBatchSize { get; init; }

    public bool IsDecoupled { get; init; }

    /// <summary>False for servers that are not Triton.</summary>
    public bool HasConfig { get; init; } = true;

    /// <summary>Computes the first output of some items.</summary>
    public Func<IReadOnlyDictionary<string, JsonNode[]>, long, Task<(string Datatype, long[] Shape, object Data)>> Infer { get; init; } =
        (_, _) => throw new RefusedException(500, "the model computes nothing");

    /// <summary>Generates the responses to one request.</summary>
    public Func<IReadOnlyDictionary<string, JsonNode[]>, HttpContext, IAsyncEnumerable<object>> Generate { get; init; } =
        (_, _) => throw new RefusedException(500, "the model generates nothing");

    public object Metadata => new
    {
        name = Name,
        versions = new[] { Version },
        platform = "python",
        inputs = Inputs.Select(Describe),
        outputs = Outputs.Select(Describe),
    };

    // Shapes here are without the batch's dimension.
    public object Config => new
    {
        name = Name,
        backend = "python",
        max_batch_size = MaxBatchSize,
        input = Inputs.Select(
            input =>
                new
                {
                    name = input.Name,
                    data_type = "TYPE_STRING",
                    dims = MaxBatchSize > 0 ? input.Shape[1..] : input.Shape,
                    optional = input.Optional,
                }),
        output = Outputs.Select(output => new { name = output.Name, dims = MaxBatchSize > 0 ? output.Shape[1..] : output.Shape }),
        model_transaction_policy = new { decoupled = IsDecoupled },
    };

    /// <summary>A classifier by a function of the text, with labels Negative, Neutral, Positive.</summary>
    public static ServedModel Classifier(Func<string, float[]> scores, int maxBatchSize = 8) =>
        new([new("TEXT", "BYTES", [-1, 1])], [new("SCORES", "FP32", [-1, 3])])
        {
            MaxBatchSize = maxBatchSize,
            Infer = (inputs, batch) => Task.FromResult<(string, long[], object)>(
                ("FP32", [batch, 3], inputs["TEXT"].SelectMany(text => scores((string)text!)).ToArray())),
        };

    /// <summary>Checks an input as Triton does before it runs the model.</summary>
    public (string Name, long Batch, long Count) Check(string name, string datatype, long[] shape)
    {
        var tensor = Inputs.FirstOrDefault(input => input.Name == name)
            ?? throw new RefusedException(400, $"unexpected inference input '{name}' for model '{Name}'");
        if (tensor.Datatype != datatype)
        {
            throw new RefusedException(
                400, $"inference input '{name}' data-type is '{datatype}', but model '{Name}' expects '{tensor.Datatype}'");
        }

        if (shape.Length != tensor.Shape.Length
            || shape.Zip(tensor.Shape).Any(dimensions => dimensions.Second != -1 && dimensions.First != dimensions.Second))
        {
            throw new RefusedException(
                400,
                $"unexpected shape for input '{name}' for model '{Name}'. Expected [{string.Join(',', tensor.Shape)}], got "
                    + $"[{string.Join(',', shape)}]");
        }

        return MaxBatchSize == 0 || shape[0] <= MaxBatchSize
            ? (name, tensor.Shape is [-1, ..] ? shape[0] : 1, shape.Aggregate(1L, (count, dimension) => count * dimension))
            : throw new RefusedException(400, $"inference request batch-size must be <= {MaxBatchSize} for '{Name}'");
    }

    /// <summary>Refuses a request that leaves out an input that it may not.</summary>
    public void RequireAll(IEnumerable<string> given)
    {
        var missing = Inputs.Where(input => !input.Optional).Select(input => input.Name).Except(given).ToList();
        if (missing.Count > 0)
        {
            throw new RefusedException(
                400,
                $"expected {Inputs.Length} inputs but got {Inputs.Length - missing.Count} inputs for model '{Name}'. Missing "
                    + $"{string.Join(", ", missing)}");
        }
    }

    private static object Describe(ServedTensor tensor) => new { name = tensor.Name, datatype = tensor.Datatype, shape = tensor.Shape };
}
