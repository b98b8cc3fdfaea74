using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>A tensor of a model.</summary>
/// <param name="Name">Its name in requests and answers.</param>
/// <param name="Datatype"><c>BYTES</c> for text, <c>FP32</c>, <c>INT64</c>, <c>BOOL</c> and so on.</param>
/// <param name="Shape">Its dimensions; -1 is one that the request chooses.</param>
internal sealed record TritonTensor(string Name, string Datatype, IReadOnlyList<long> Shape)
{
    /// <summary>Whether one request may carry several items, in the first dimension.</summary>
    public bool IsBatched => Shape is [-1, ..];

    /// <summary>Sample: <c>BYTES 'TEXT' [-1,1]</c></summary>
    public override string ToString() => $"{Datatype} '{Name}' [{string.Join(',', Shape)}]";
}

/// <summary>
/// Answer of <c>v2/models/M</c>, such as
/// <c>{"name":"m","versions":["1"],"platform":"onnxruntime_onnx",
/// "inputs":[{"name":"TEXT","datatype":"BYTES","shape":[-1,1]}],"outputs":[…]}</c>.
/// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
/// </summary>
internal sealed record TritonMetadata(IReadOnlyList<TritonTensor>? Inputs, IReadOnlyList<TritonTensor>? Outputs);

/// <summary>
/// What is read of Triton's <c>v2/models/M/config</c>; other servers of the protocol have no such thing. Sample:
/// <c>{"max_batch_size":8,"input":[{"name":"stream","optional":true}],"model_transaction_policy":{"decoupled":true}}</c>
/// </summary>
internal sealed record TritonConfig(
    int MaxBatchSize = 0, IReadOnlyList<TritonConfig.TensorConfig>? Input = null,
    TritonConfig.TransactionPolicy? ModelTransactionPolicy = null)
{
    public sealed record TensorConfig(string Name, bool Optional = false);

    public sealed record TransactionPolicy(bool Decoupled = false);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TritonMetadata))]
[JsonSerializable(typeof(TritonConfig))]
internal sealed partial class TritonJsonContext : JsonSerializerContext;

/// <summary>A model as its server describes it.</summary>
/// <param name="Inputs">The tensors that it takes.</param>
/// <param name="Outputs">The tensors that it gives.</param>
/// <param name="MaxBatchSize">Most items in one request as its configuration says; 0 if that says nothing.</param>
/// <param name="IsDecoupled">Whether it may answer one request with any number of responses, as models that stream do.</param>
/// <param name="Optional">Names of the inputs that a request may leave out.</param>
internal sealed record TritonModel(
    IReadOnlyList<TritonTensor> Inputs, IReadOnlyList<TritonTensor> Outputs, int MaxBatchSize, bool IsDecoupled,
    IReadOnlySet<string> Optional)
{
    /// <summary>Puts metadata and configuration together.</summary>
    /// <exception cref="EngineLoadException">The metadata is none.</exception>
    public static TritonModel Read(ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> config)
    {
        try
        {
            var tensors = JsonSerializer.Deserialize(metadata, TritonJsonContext.Default.TritonMetadata);
            var settings = config.IsEmpty ? new TritonConfig() : JsonSerializer.Deserialize(config, TritonJsonContext.Default.TritonConfig)
                ?? new TritonConfig();
            if (tensors?.Inputs is not { Count: > 0 } inputs || tensors.Outputs is not { Count: > 0 } outputs
                || inputs.Concat(outputs).Any(tensor => tensor is not { Name.Length: > 0, Datatype: not null, Shape: not null }))
            {
                throw new EngineLoadException("The model's metadata lacks its inputs or outputs.");
            }

            return new TritonModel(inputs, outputs, settings.MaxBatchSize, settings.ModelTransactionPolicy?.Decoupled ?? false,
                (settings.Input ?? []).Where(input => input.Optional).Select(input => input.Name).ToHashSet());
        }
        catch (JsonException e)
        {
            throw new EngineLoadException($"The model's metadata cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The input of that name and type, or null.</summary>
    public TritonTensor? FindInput(string name, string datatype) =>
        Inputs.FirstOrDefault(input => input.Name == name && input.Datatype == datatype);

    /// <summary>The input that takes the text.</summary>
    /// <param name="name">Its configured name; null to find it.</param>
    /// <exception cref="EngineLoadException">There is none, or more than one.</exception>
    public TritonTensor TextInput(string? name) => Choose(
        "input", "takes the text", nameof(TritonOptions.Input), name, ["BYTES"], Inputs, input =>
            input.Name == "text_input", input => !Optional.Contains(input.Name));

    /// <summary>The output that holds what is asked for.</summary>
    /// <param name="name">Its configured name; null to find it.</param>
    /// <param name="datatypes">The types that it may have.</param>
    /// <exception cref="EngineLoadException">There is none, or more than one.</exception>
    public TritonTensor Output(string? name, params string[] datatypes) => Choose(
        "output", "holds the answer", nameof(TritonOptions.Output), name, datatypes, Outputs, output =>
            output.Name == "text_output", _ => true);

    private static TritonTensor Choose(
        string kind, string does, string setting, string? name, string[] datatypes, IReadOnlyList<TritonTensor> tensors,
        params ReadOnlySpan<Func<TritonTensor, bool>> preferences)
    {
        var known = string.Join(", ", tensors);
        if (!string.IsNullOrEmpty(name))
        {
            return tensors.FirstOrDefault(tensor => tensor.Name == name && datatypes.Contains(tensor.Datatype))
                ?? throw new EngineLoadException(
                    $"Triton:{setting} is '{name}', but the model has no {kind} of that name and type {string.Join(" or ", datatypes)}; "
                    + $"it has {known}.");
        }

        var candidates = tensors.Where(tensor => datatypes.Contains(tensor.Datatype)).ToList();
        if (candidates.Count == 0)
        {
            throw new EngineLoadException($"The model has no {kind} of type {string.Join(" or ", datatypes)} that {does}; it has {known}.");
        }

        foreach (var preferred in preferences)
        {
            var left = candidates.Where(preferred).ToList();
            if (left.Count == 1)
            {
                return left[0];
            }
        }

        return candidates.Count == 1
            ? candidates[0]
            : throw new EngineLoadException($"Triton:{setting} must name the {kind} that {does}; the model has {known}.");
    }
}
