namespace AgentPlatform.OnnxChat.Templates;

/// <summary>The tokens of a template with a place in them, which parsers move on.</summary>
internal sealed class TemplateTokens(IReadOnlyList<TemplateToken> tokens)
{
    private int _at;
    private int _nesting;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public TemplateToken Next() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool TryTakeName(string name)
    {
        var found = Current.IsName(name);
        _at += found ? 1 : 0;
        return found;
    }

    public bool TryTake(string symbol)
    {
        var found = Current.IsOperator(symbol);
        _at += found ? 1 : 0;
        return found;
    }

    public void Take(string symbol)
    {
        if (!TryTake(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }
    }

    public void Take(TemplateTokenKind kind, string what)
    {
        if (Next().Kind != kind)
        {
            _at--;
            throw Unexpected(what);
        }
    }

    public string TakeName() => Current.Kind == TemplateTokenKind.Name ? Next().Text : throw Unexpected("a name");

    /// <summary>Reads something that may hold its like, at most so deep that no source can end the stack.</summary>
    public T Nest<T>(Func<T> read)
    {
        if (++_nesting > TemplateBudget.MaxNesting)
        {
            throw Mistake($"The template is nested more than {TemplateBudget.MaxNesting} deep");
        }

        var value = read();
        _nesting--;
        return value;
    }

    public TemplateSyntaxException Mistake(string what) => new(what, Current.Line);

    private TemplateSyntaxException Unexpected(string wanted) =>
        Mistake($"{wanted} is expected, not {(Current.Text.Length > 0 ? $"'{Current.Text}'" : "the end of the tag")}");
}
