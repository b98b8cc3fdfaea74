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
/// Turns a chat request's parameters into inputs of the model: each by the input of its name (<c>temperature</c>, <c>top_p</c>,
/// <c>max_tokens</c> …, as TensorRT-LLM's models have them), or all in the JSON of <c>sampling_parameters</c>, as the vLLM backend takes them.
/// </summary>
internal sealed class TritonParameters
{
    // https://docs.vllm.ai/en/latest/api/vllm/sampling_params.html
    private static readonly HashSet<string> _sampling =
        ["max_tokens", "min_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "presence_penalty", "frequency_penalty", "repetition_penalty", "ignore_eos"];

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

    /// <summary>The inputs beside the text.</summary>
    /// <exception cref="InferenceException">400: the model has no way to do what a parameter asks for; it is named.</exception>
    public IReadOnlyList<TritonInput> Read(JsonElement request, bool stream)
    {
        var inputs = new List<TritonInput>();
        var sampling = new JsonObject();
        var hasLimit = false;
        foreach (var field in request.LastOfEach())
        {
            // A number that the model takes is given to it even where it is OpenAI's default, since the model's own may be another.
            var name = field.Name == "max_completion_tokens" ? "max_tokens" : field.Name;
            var isNeutral = NeutralFields.IsNeutral(field.Name, field.Value, request);
            if (isNeutral && field.Value.ValueKind != JsonValueKind.Number)
            {
                continue;
            }

            hasLimit |= name == "max_tokens";
            if (!TryTake(name, field, inputs, sampling) && !isNeutral)
            {
                throw new InferenceException(InferenceError.Invalid($"The model has no input for '{field.Name}'.", field.Name, "unsupported_parameter"));
            }
        }

        if (!hasLimit)
        {
            using var limit = JsonDocument.Parse($$"""{"max_tokens":{{_maxTokens}}}""");
            TryTake("max_tokens", limit.RootElement.EnumerateObject().First(), inputs, sampling);
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

    private bool TryTake(string name, JsonProperty field, List<TritonInput> inputs, JsonObject sampling)
    {
        foreach (var candidate in new[] { name }.Concat(_aliases.GetValueOrDefault(name, [])))
        {
            if (candidate != _text.Name && _model.Inputs.FirstOrDefault(input => input.Name == candidate) is { } tensor)
            {
                inputs.Add(new TritonInput(tensor, Values(field, tensor)));
                return true;
            }
        }

        if (_samplingInput is null || !_sampling.Contains(name))
        {
            return false;
        }

        sampling[name] = JsonNode.Parse(field.Value.GetRawText(), documentOptions: JsonLimits.Document);
        return true;
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
            throw new InferenceException(InferenceError.Invalid($"The model takes one value for '{field.Name}', not {values.Length}.", field.Name, "unsupported_parameter"));
        }

        var isText = tensor.Datatype == "BYTES";
        var isFlag = tensor.Datatype == "BOOL";
        return [.. values.Select(value => (value.ValueKind, isText, isFlag) switch
        {
            (JsonValueKind.String, true, _) or (JsonValueKind.Number, false, false) or (JsonValueKind.True or JsonValueKind.False, _, true) => JsonNode.Parse(value.GetRawText(), documentOptions: JsonLimits.Document)!,
            _ => throw new InferenceException(InferenceError.Invalid($"'{field.Name}' must be of the type {tensor.Datatype} of the model's input.", field.Name, "invalid_type")),
        })];
    }
}
