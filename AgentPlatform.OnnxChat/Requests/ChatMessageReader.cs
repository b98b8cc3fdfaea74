using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.OnnxChat.Templates;

namespace AgentPlatform.OnnxChat.Requests;

/// <summary>
/// Reads the messages of a request as chat templates see them. JSON's null is Python's None, which a template prints as
/// the word "None", so none reaches it from a message: as in vLLM (vllm/entrypoints/chat_utils.py), a member that is null
/// is as if it were not there, an empty <c>tool_calls</c> too, and <c>content</c> that is null or not there is empty.
/// </summary>
internal static class ChatMessageReader
{
    /// <exception cref="InferenceException">400: a message holds something else than text.</exception>
    public static List<object?> Read(ChatTurn turn, string model)
    {
        List<object?> messages = [];
        foreach (var message in turn.Messages)
        {
            var members = (OrderedDictionary<string, object?>)TemplateValue.Of(message.Json)!;

            // OpenAI's newer name, which templates do not know.
            if (members.GetValueOrDefault("role") is "developer")
            {
                members["role"] = "system";
            }

            members["content"] = string.Join('\n', message.Content.Select(part => TextOf(part, model)));
            messages.Add(WithoutNulls(members));
        }

        return messages;
    }

    // {"role":"assistant","name":null,"tool_calls":[{"id":null,"type":"function","function":{"name":"f","arguments":null}}]}
    private static OrderedDictionary<string, object?> WithoutNulls(OrderedDictionary<string, object?> members)
    {
        var kept = new OrderedDictionary<string, object?>(members.Where(member => member.Value is not null));
        if (kept.GetValueOrDefault("tool_calls") is IReadOnlyList<object?> calls)
        {
            // Templates ask whether there are any by whether they are defined.
            kept.Remove("tool_calls");
            if (calls.Count > 0)
            {
                kept["tool_calls"] = calls.Select(call =>
                    call is OrderedDictionary<string, object?> fields ? CallOf(fields) : call).ToList();
            }
        }

        if (kept.GetValueOrDefault("function_call") is OrderedDictionary<string, object?> function)
        {
            kept["function_call"] = FunctionOf(function);
        }

        return kept;
    }

    private static OrderedDictionary<string, object?> CallOf(OrderedDictionary<string, object?> members)
    {
        var call = new OrderedDictionary<string, object?>(members.Where(member => member.Value is not null));
        if (call.GetValueOrDefault("function") is OrderedDictionary<string, object?> function)
        {
            call["function"] = FunctionOf(function);
        }

        return call;
    }

    // A call without arguments is one with none: OpenAI's form of that is an empty object, as text.
    private static OrderedDictionary<string, object?> FunctionOf(OrderedDictionary<string, object?> members)
    {
        var function = new OrderedDictionary<string, object?>(members.Where(member => member.Value is not null));
        function.TryAdd("arguments", "{}");
        return function;
    }

    // {"type":"text","text":"Hi"} or, of an assistant, {"type":"refusal","refusal":"No"}
    private static string TextOf(ChatContent part, string model) => part.Type switch
    {
        "text" => part.Text ?? "",
        "refusal" when part.Json.TryGetProperty("refusal", out var refusal) && refusal.ValueKind == JsonValueKind.String =>
            refusal.GetString()!,
        "refusal" => "",
        _ => throw new InferenceException(InferenceError.Invalid(
            $"The model '{model}' reads text only; '{part.Place}' is of type '{part.Type}'.", part.Place, "unsupported_content")),
    };
}
