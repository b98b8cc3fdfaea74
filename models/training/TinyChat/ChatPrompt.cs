using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Training.TinyChat;

/// <summary>
/// Conversations as tokens, in ChatML. A user's text follows a space, so that its first word has the same token as anywhere else; otherwise
/// this is what <see cref="Template"/> writes.
/// </summary>
internal sealed class ChatPrompt(BytePairVocabulary vocabulary)
{
    /// <summary>The same as a chat template in Jinja, for <c>tokenizer_config.json</c> and GGUF.</summary>
    public const string Template =
        "{% for message in messages %}"
        + "{{ '<|im_start|>' + message['role'] + '\\n' }}"
        + "{% if message['role'] != 'assistant' %}{{ ' ' }}{% endif %}"
        + "{{ message['content'] | trim }}{{ '<|im_end|>\\n' }}"
        + "{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private readonly int _start = vocabulary.IdOf(BytePairVocabulary.TurnStart);

    public BytePairTokenizer Tokenizer { get; } = new(vocabulary);

    /// <summary>Ends an answer.</summary>
    public int End { get; } = vocabulary.IdOf(BytePairVocabulary.TurnEnd);

    public int Padding { get; } = vocabulary.IdOf(BytePairVocabulary.TextEnd);

    public List<int> Encode(string? system, IEnumerable<(string Question, string Answer)> earlier, string question)
    {
        var tokens = new List<int>();
        if (system is not null)
        {
            Turn("system\n ", system);
        }

        foreach (var (earlierQuestion, answer) in earlier)
        {
            Turn("user\n ", earlierQuestion);
            Turn("assistant\n", answer);
        }

        Turn("user\n ", question);
        tokens.Add(_start);
        tokens.AddRange(Tokenizer.Encode("assistant\n"));
        return tokens;

        void Turn(string opening, string text)
        {
            tokens.Add(_start);
            tokens.AddRange(Tokenizer.Encode(opening + text.Trim()));
            tokens.Add(End);
            tokens.AddRange(Tokenizer.Encode("\n"));
        }
    }
}
