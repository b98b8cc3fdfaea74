using System.Collections.Frozen;
using AgentPlatform.Inference.Chat;

namespace AgentPlatform.OnnxChat.Requests;

/// <summary>
/// Fields of OpenAI's requests, and of servers compatible with it, that would change the answer and
/// that this engine cannot honour. To pass over them in silence would give the client something else
/// than it asked for. Those that ask for nothing (<see cref="NeutralFields"/>) and unknown ones pass.
/// </summary>
internal static class UnsupportedFields
{
    private static readonly FrozenSet<string> _names = FrozenSet.Create(StringComparer.Ordinal,
    [
        "tools", "tool_choice", "functions", "function_call", "response_format", "modalities", "audio", "web_search_options",
        "reasoning_effort", "verbosity",
        "prediction", "best_of", "use_beam_search", "length_penalty", "early_stopping", "stop_token_ids", "bad_words", "allowed_token_ids",
        "min_tokens",
        "typical_p", "mirostat", "dynatemp_range", "dry_multiplier", "xtc_probability", "grammar", "json_schema", "structured_outputs",
        "guided_json",
        "guided_regex", "guided_choice", "guided_grammar", "echo", "prompt_logprobs", "include_stop_str_in_output", "chat_template",
        "chat_template_kwargs",
        "documents",
    ]);

    /// <summary>Why the engine cannot honour a field; null if it can, or does not know it.</summary>
    public static string? Refusal(string field, string model) =>
        _names.Contains(field) ? $"The model '{model}' does not support '{field}'." : null;
}
