using System.Text.Json;
using System.Text.RegularExpressions;
using AgentPlatform.Inference;
using AgentPlatform.OnnxChat.Templates;
using AgentPlatform.OnnxChat.Tokens;

namespace AgentPlatform.OnnxChat.Model;

/// <summary>Makes a model's prompt of messages.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class PromptTemplate
{
    private static readonly string[] _marks = ["bos_token", "eos_token", "pad_token", "unk_token"];

    private readonly ChatTemplate _template;
    private readonly ChatTokenizer _tokenizer;
    private readonly Dictionary<string, object?> _variables;

    private PromptTemplate(ChatTemplate template, ChatTokenizer tokenizer, JsonElement settings)
    {
        (_template, _tokenizer) = (template, tokenizer);

        // Without tools, templates want to see none, not nothing.
        _variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["tools"] = null, ["documents"] = null };
        foreach (var mark in _marks)
        {
            if (settings.Token(mark) is { } text)
            {
                _variables[mark] = text;
            }
        }
    }

    /// <summary>Reads the template: <c>chat_template.jinja</c>, or <c>chat_template</c> of <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="InvalidDataException">There is none, or it cannot be used.</exception>
    public static PromptTemplate Read(string folder, JsonElement tokenizerConfig, ChatTokenizer tokenizer)
    {
        var path = Path.Combine(folder, "chat_template.jinja");
        var source = File.Exists(path) ? File.ReadAllText(path) : Find(tokenizerConfig)
            ?? throw new InvalidDataException(
                $"The model in {folder} has no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json.");
        try
        {
            var template = new PromptTemplate(ChatTemplate.Parse(source), tokenizer, tokenizerConfig);
            template.Try();
            return template;
        }
        catch (Exception e) when (e is TemplateSyntaxException or TemplateException)
        {
            throw new InvalidDataException($"The chat template of the model in {folder} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>The prompt's tokens.</summary>
    /// <param name="messages">The messages as templates see them.</param>
    /// <param name="continues">Whether the last message is the beginning of the answer.</param>
    /// <param name="now">What templates that write the date take for it.</param>
    /// <param name="most">Most tokens that are wanted.</param>
    /// <param name="cancellationToken">Ends it at any time.</param>
    /// <returns>Null if there are more than wanted, which is found without making them all.</returns>
    /// <exception cref="InferenceException">400: the template refuses these messages.</exception>
    public List<int>? Encode(
        IReadOnlyList<object?> messages, bool continues, DateTimeOffset now, int most, CancellationToken cancellationToken)
    {
        var safe = messages.Select(Protect).ToList();
        try
        {
            var text = continues
                ? RenderUnended(safe, now, cancellationToken)
                : Render(safe, addGenerationPrompt: true, now, cancellationToken);
            return _tokenizer.TryEncode(text, most, cancellationToken);
        }
        catch (TemplateException e)
        {
            throw new InferenceException(
                InferenceError.Invalid($"The model's chat template does not take these messages: {e.Message}.", "messages"), e);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new InferenceException(InferenceError.Invalid(
                "The messages hold a text that the model's tokenizer cannot cut into words in a reasonable time.", "messages"), e);
        }
    }

    // {"chat_template":"…"}, or several by name: {"chat_template":[{"name":"default","template":"…"}]}
    private static string? Find(JsonElement config) => config.Text("chat_template")
        ?? (config.TryGetProperty("chat_template", out var named) && named.ValueKind == JsonValueKind.Array
            ? named.EnumerateArray().Where(item => item.Text("name") == "default")
                .Select(item => item.Text("template")).FirstOrDefault() : null);

    // What fails with the simplest of conversations fails with all of them.
    private void Try() => Render(
        [new OrderedDictionary<string, object?> { ["role"] = "user", ["content"] = "Hi" }], addGenerationPrompt: true,
        DateTimeOffset.UnixEpoch, CancellationToken.None);

    private string Render(List<object?> messages, bool addGenerationPrompt, DateTimeOffset now, CancellationToken cancellationToken) =>
        _template.Render(
            _variables.Append(new("messages", messages)).Append(new("add_generation_prompt", addGenerationPrompt)), now, cancellationToken);

    /// <summary>The text up to the last message's end, so that the model continues that message.</summary>
    private string RenderUnended(List<object?> messages, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (messages[^1] is not IReadOnlyDictionary<string, object?> last
            || last.GetValueOrDefault("content") is not string { Length: > 0 } content)
        {
            throw NothingToContinue();
        }

        // Its end is marked: to look for the message in the text would take the product of their lengths
        // at worst. White space at its end comes after the mark, since many templates leave it out.
        var said = content.AsSpan().TrimEnd().Length;
        messages[^1] = new OrderedDictionary<string, object?>(last) { ["content"] = content.Insert(said, $"{ChatTokenizer.EndMark}") };
        var text = Render(messages, addGenerationPrompt: false, now, cancellationToken);
        if (text.LastIndexOf(ChatTokenizer.EndMark) is not (>= 0 and var end))
        {
            throw NothingToContinue();
        }

        var space = content.AsSpan(said);
        return string.Concat(text.AsSpan(0, end), text.AsSpan(end + 1).StartsWith(space, StringComparison.Ordinal) ? space : default);
    }

    private static InferenceException NothingToContinue() =>
        new(InferenceError.Invalid("The model's chat template leaves no last message that could be continued.", "continue_final_message"));

    private object? Protect(object? value) => value switch
    {
        string text => _tokenizer.Protect(text),
        IReadOnlyDictionary<string, object?> members =>
            new OrderedDictionary<string, object?>(members.Select(member => KeyValuePair.Create(member.Key, Protect(member.Value)))),
        IReadOnlyList<object?> items => items.Select(Protect).ToList(),
        _ => value,
    };
}
