using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>Values for one of a model's inputs.</summary>
/// <param name="Tensor">The input.</param>
/// <param name="Values">Its values, flat.</param>
internal sealed record TritonInput(TritonTensor Tensor, IReadOnlyList<JsonNode> Values)
{
    /// <summary>The shape that holds the values: dimensions that the request chooses are 1, but for the last.</summary>
    public long[] Shape
    {
        get
        {
            long[] shape = [.. Tensor.Shape.Select(Math.Abs)];
            if (Tensor.Shape is [.., -1])
            {
                shape[^1] = Values.Count;
            }

            return shape;
        }
    }
}

/// <summary>
/// Turns a chat request's parameters into inputs of the model: each by the input of its name
/// (<c>temperature</c>, <c>top_p</c>, <c>max_tokens</c> …, as TensorRT-LLM's models have
/// them), or all in the JSON of <c>sampling_parameters</c>, as the vLLM backend takes them.
/// </summary>
internal sealed class TritonParameters
{
    // https://docs.vllm.ai/en/latest/api/vllm/sampling_params.html
    private static readonly HashSet<string> _sampling =
        [
            "max_tokens", "min_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "presence_penalty", "frequency_penalty",
            "repetition_penalty", "ignore_eos"];

    // Names that inputs of common models have instead of OpenAI's.
    private static readonly Dictionary<string, string[]> _aliases = new()
    {
        ["seed"] = ["random_seed"],
        ["stop"] = ["stop_words"],
    };

    private readonly TritonModel _model;
    private readonly TritonTensor _text;
    private readonly int _maxTokens;
    private readonly TritonTensor? _samplingInput;

    /// <param name="model">The model.</param>
    /// <param name="text">Its input for the text.</param>
    /// <param name="maxTokens">The limit for requests that set none.</param>
    public TritonParameters(TritonModel model, TritonTensor text, int maxTokens) =>
        (_model, _text, _maxTokens, _samplingInput) = (model, text, maxTokens, model.FindInput("sampling_parameters", "BYTES"));

    /// <summary>Why the model cannot honour a field; null if it has a way to.</summary>
    public string? Refusal(string field) =>
        TensorOf(NameOf(field)) is null && !IsSampling(NameOf(field)) ? $"The model has no input for '{field}'." : null;

    /// <summary>The inputs beside the text.</summary>
    /// <exception cref="InferenceException">400: the model cannot take the value of a field; it is named.</exception>
    public IReadOnlyList<TritonInput> Read(ChatTurn turn, bool stream)
    {
        var inputs = new List<TritonInput>();
        var sampling = new JsonObject();
        var hasLimit = false;
        foreach (var field in turn.Members)
        {
            // A number that the model takes is given to it even where it is OpenAI's default, since the model's own may be another.
            if (field.Value.ValueKind == JsonValueKind.Number || !turn.IsNeutral(field))
            {
                hasLimit |= NameOf(field.Name) == "max_tokens";
                Take(field, inputs, sampling);
            }
        }

        if (!hasLimit)
        {
            using var limit = JsonDocument.Parse($$"""{"max_tokens":{{_maxTokens}}}""");
            Take(limit.RootElement.EnumerateObject().First(), inputs, sampling);
        }

        if (_samplingInput is not null)
        {
            inputs.Add(new TritonInput(_samplingInput, [sampling.ToJsonString()]));
        }

        AddFlag(inputs, "stream", stream);
        AddFlag(inputs, "exclude_input_in_output", true);
        AddFlag(inputs, "return_finish_reason", true);
        AddFlag(inputs, "return_num_input_tokens", true);
        AddFlag(inputs, "return_num_output_tokens", true);
        return inputs;
    }

    private static string NameOf(string field) => field == "max_completion_tokens" ? "max_tokens" : field;

    private TritonTensor? TensorOf(string name) => new[] { name }.Concat(_aliases.GetValueOrDefault(name, []))
        .Where(candidate => candidate != _text.Name)
        .Select(candidate => _model.Inputs.FirstOrDefault(input => input.Name == candidate))
        .FirstOrDefault(static tensor => tensor is not null);

    private bool IsSampling(string name) => _samplingInput is not null && _sampling.Contains(name);

    private void Take(JsonProperty field, List<TritonInput> inputs, JsonObject sampling)
    {
        var name = NameOf(field.Name);
        if (TensorOf(name) is { } tensor)
        {
            inputs.Add(new TritonInput(tensor, Values(field, tensor)));
        }
        else if (IsSampling(name))
        {
            sampling[name] = JsonNode.Parse(field.Value.GetRawText(), documentOptions: JsonLimits.Document);
        }
    }

    private void AddFlag(List<TritonInput> inputs, string name, bool value)
    {
        if (_model.FindInput(name, "BOOL") is { } tensor)
        {
            inputs.Add(new TritonInput(tensor, [value]));
        }
    }

    private static List<JsonNode> Values(JsonProperty field, TritonTensor tensor)
    {
        JsonElement[] values = field.Value.ValueKind == JsonValueKind.Array ? [.. field.Value.EnumerateArray()] : [field.Value];
        if (values.Length != 1 && tensor.Shape is not [.., -1])
        {
            throw ChatTurn.Unsupported(field.Name, $"The model takes one value for '{field.Name}', not {values.Length}.");
        }

        var isText = tensor.Datatype == "BYTES";
        var isFlag = tensor.Datatype == "BOOL";
        return [.. values.Select(value => (value.ValueKind, isText, isFlag) switch
        {
            (JsonValueKind.String, true, _) or (JsonValueKind.Number, false, false)
                or (JsonValueKind.True or JsonValueKind.False, _, true) =>
                JsonNode.Parse(value.GetRawText(), documentOptions: JsonLimits.Document)!,
            _ => throw new InferenceException(InferenceError.Invalid(
                $"'{field.Name}' must be of the type {tensor.Datatype} of the model's input.", field.Name, "invalid_type")),
        })];
    }
}
