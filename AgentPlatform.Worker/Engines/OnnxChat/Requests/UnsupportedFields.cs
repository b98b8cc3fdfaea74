using System.Text.Json;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Worker.Engines.OnnxChat.Requests;

/// <summary>
/// Fields of OpenAI's requests, and of servers compatible with it, that would change the answer and that this engine cannot honour. To
/// pass over them in silence would give the client something else than it asked for. Fields that change nothing (<c>user</c>, <c>metadata</c>,
/// <c>store</c>) and unknown ones pass.
/// </summary>
internal static class UnsupportedFields
{
    private static readonly string[] _never =
    [
        "functions", "audio", "web_search_options", "reasoning_effort", "verbosity", "prediction", "best_of", "use_beam_search", "length_penalty", "early_stopping",
        "stop_token_ids", "bad_words", "allowed_token_ids", "min_tokens", "typical_p", "mirostat", "dynatemp_range", "dry_multiplier", "xtc_probability",
        "grammar", "json_schema", "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar", "echo", "prompt_logprobs",
        "include_stop_str_in_output", "chat_template", "chat_template_kwargs", "documents",
    ];

    /// <exception cref="InferenceException">400, naming the first of them.</exception>
    public static void Refuse(ChatFields body, string model)
    {
        foreach (var name in _never)
        {
            if (body.Find(name) is { } value && !IsOff(value))
            {
                throw Unsupported(model, name);
            }
        }

        if (body.Find("tools") is { } tools && !IsOff(tools))
        {
            throw Unsupported(model, "tools");
        }

        if (body.Find("tool_choice") is { } choice && !Says(choice, "none") && !Says(choice, "auto"))
        {
            throw Unsupported(model, "tool_choice");
        }

        if (body.Find("function_call") is { } call && !Says(call, "none") && !Says(call, "auto"))
        {
            throw Unsupported(model, "function_call");
        }

        if (body.Find("response_format") is { } format && !(format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out var type) && Says(type, "text")))
        {
            throw Unsupported(model, "response_format");
        }

        if (body.Find("modalities") is { ValueKind: JsonValueKind.Array } modalities && modalities.EnumerateArray().Any(modality => !Says(modality, "text")))
        {
            throw Unsupported(model, "modalities");
        }
    }

    private static bool Says(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Number => value.GetDouble() == 0,
        _ => false,
    };

    private static InferenceException Unsupported(string model, string name) =>
        new(InferenceError.Invalid($"The model '{model}' does not support '{name}'.", name, "unsupported_parameter"));
}
