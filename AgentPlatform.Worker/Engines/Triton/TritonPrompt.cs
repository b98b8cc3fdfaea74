using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>Makes one text of a chat's messages, for models that complete a text.</summary>
internal static class TritonPrompt
{
    /// <exception cref="InferenceException">400: a message holds something else than text.</exception>
    public static string Write(ChatTurn turn, TritonPromptFormat format)
    {
        if (format == TritonPromptFormat.Messages)
        {
            return turn.Fields.Find("messages")!.Value.GetRawText();
        }

        var texts = turn.Messages.Select(static message => (Role: message.Role!, Text: TextOf(message))).ToList();
        return format == TritonPromptFormat.ChatML ? ChatML(texts) : Plain(texts);
    }

    private static string Plain(List<(string Role, string Text)> messages)
    {
        if (messages is [("user", var only)])
        {
            return only;
        }

        var prompt = new StringBuilder();
        foreach (var (role, text) in messages)
        {
            prompt.Append(role is "system" or "developer" ? "" : $"{char.ToUpperInvariant(role[0])}{role[1..]}: ")
                .Append(text).Append('\n');
        }

        return prompt.Append("Assistant:").ToString();
    }

    private static string ChatML(List<(string Role, string Text)> messages)
    {
        var prompt = new StringBuilder();
        foreach (var (role, text) in messages)
        {
            prompt.Append("<|im_start|>").Append(role).Append('\n').Append(text).Append("<|im_end|>\n");
        }

        return prompt.Append("<|im_start|>assistant\n").ToString();
    }

    private static string TextOf(ChatMessage message) =>
        string.Concat(message.Content.Select(static part =>
            part.Text ?? throw ChatTurn.Unsupported(part.Place, "The model takes only text.")));
}
