using System.Text.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>
/// The one rule for what a chat request asks for by a field: a field that an engine cannot honour is refused, unless it asks for what
/// happens without it. Clients write such fields out (Semantic Kernel sends <c>tools</c> with <c>"tool_choice":"none"</c>,
/// Microsoft.Extensions.AI <c>"reasoning_effort":"none"</c>), and they want an answer.
/// </summary>
public static class NeutralFields
{
    // Who asks, how the answer is sent and what is kept of it: nothing of the answer itself, whatever the value.
    private static readonly HashSet<string> _harmless = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "user", "metadata", "store", "service_tier", "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention", "cache_prompt",
    };

    // Off at zero, at one, at true.
    private static readonly HashSet<string> _zeros = new(StringComparer.Ordinal)
    {
        "presence_penalty", "frequency_penalty", "top_logprobs", "top_k", "min_p", "min_tokens", "mirostat", "dynatemp_range",
        "dry_multiplier",
        "xtc_probability", "best_of", "thinking_budget",
    };

    private static readonly HashSet<string> _ones = new(StringComparer.Ordinal)
    {
        "n", "best_of", "temperature", "top_p", "typical_p", "repetition_penalty", "length_penalty",
    };

    private static readonly HashSet<string> _trues = new(StringComparer.Ordinal)
    {
        "add_generation_prompt", "skip_special_tokens", "spaces_between_special_tokens", "detokenize",
    };

    /// <summary>Whether the answer is the same with the field as without it.</summary>
    /// <param name="name">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="request">The whole request: what some fields ask for depends on others.</param>
    public static bool IsNeutral(string name, JsonElement value, JsonElement request) =>
        value.ValueKind == JsonValueKind.Null || _harmless.Contains(name) || name switch
    {
        // Tools that the model may not call are none; neither their choice nor their order matters without any.
        "tools" => IsOff(value) || Chooses(request, "tool_choice", "none"),
        "functions" => IsOff(value) || Chooses(request, "function_call", "none"),
        "tool_choice" => Says(value, "none", "auto") && (Says(value, "none") || !Has(request, "tools")),
        "function_call" => Says(value, "none", "auto") && (Says(value, "none") || !Has(request, "functions")),
        "parallel_tool_calls" => !Has(request, "tools") || Chooses(request, "tool_choice", "none"),

        // What it sounds like matters if there is to be sound.
        "audio" => IsOff(value) || !Has(request, "modalities") || IsText(request.GetProperty("modalities")),
        "modalities" => IsText(value),
        "verbosity" => IsOff(value) || Says(value, "medium"),

        // An empty object asks for the search with its defaults.
        "web_search_options" => value.ValueKind == JsonValueKind.False,
        _ when _trues.Contains(name) => value.ValueKind == JsonValueKind.True,
        _ when value.ValueKind == JsonValueKind.Number => IsNeutral(name, value.GetDouble()),
        _ => IsOff(value),
    };

    private static bool IsNeutral(string name, double number) =>
        (number == 0 && _zeros.Contains(name)) || (number == 1 && _ones.Contains(name)) || (number == -1 && name == "top_k");

    /// <summary>
    /// null, false, "", "none", [], {}, an object of such members, and <c>{"type":"text"}</c>, <c>{"type":"disabled"}</c>.
    /// </summary>
    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String => Says(value, "", "none", "off", "disabled"),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.EnumerateObject().All(static member =>
            IsOff(member.Value) || (member.NameEquals("type") && Says(member.Value, "text"))),
        _ => false,
    };

    private static bool IsText(JsonElement modalities) =>
        IsOff(modalities)
            || (modalities.ValueKind == JsonValueKind.Array && modalities.EnumerateArray().All(static modality => Says(modality, "text")));

    private static bool Has(JsonElement request, string name) => request.TryGetProperty(name, out var value) && !IsOff(value);

    private static bool Chooses(JsonElement request, string name, string choice) =>
        request.TryGetProperty(name, out var value) && Says(value, choice);

    private static bool Says(JsonElement value, params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(text))
            {
                return true;
            }
        }

        return false;
    }
}
