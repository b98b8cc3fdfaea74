namespace AgentPlatform.OnnxChat.Templates;

/// <summary>Reads Jinja's statements.</summary>
internal sealed class TemplateParser
{
    private readonly TemplateTokens _tokens;
    private readonly HashSet<string> _functions;
    private readonly ExpressionParser _expressions;

    private TemplateParser(IReadOnlyList<TemplateToken> tokens, IEnumerable<string> functions)
    {
        _tokens = new TemplateTokens(tokens);
        _functions = new HashSet<string>(functions, StringComparer.Ordinal);
        for (var at = 1; at < tokens.Count; at++)
        {
            // Macros may be called before the place where they are written.
            if (tokens[at].Kind == TemplateTokenKind.Name && tokens[at - 1].IsName("macro"))
            {
                _functions.Add(tokens[at].Text);
            }
        }

        _expressions = new ExpressionParser(_tokens, _functions.Contains);
    }

    /// <summary>Reads a template that may call <paramref name="functions"/> and its own macros.</summary>
    /// <exception cref="TemplateSyntaxException">It is not well formed, or uses what is not known here.</exception>
    public static IReadOnlyList<TemplateStatement> Parse(string source, IEnumerable<string> functions)
    {
        var parser = new TemplateParser(TemplateLexer.Read(source), functions);
        var body = parser.ParseBody();
        return parser._tokens.Current.Kind == TemplateTokenKind.End ? body
            : throw parser._tokens.Mistake($"'{parser._tokens.Ahead.Text}' closes nothing");
    }

    /// <summary>Statements up to one of <paramref name="ends"/>, whose tag is left unread but for its opening, or up to the end.</summary>
    private List<TemplateStatement> ParseBody(params string[] ends) => _tokens.Nest(() => ParseStatements(ends));

    private List<TemplateStatement> ParseStatements(string[] ends)
    {
        List<TemplateStatement> body = [];
        while (true)
        {
            switch (_tokens.Current.Kind)
            {
                case TemplateTokenKind.Text:
                    body.Add(new TextStatement(_tokens.Next().Text));
                    break;
                case TemplateTokenKind.OpenOutput:
                    _tokens.Next();
                    body.Add(new OutputStatement(_expressions.ParseTuple()));
                    _tokens.Take(TemplateTokenKind.CloseOutput, "'}}'");
                    break;
                case TemplateTokenKind.OpenStatement when !ends.Contains(_tokens.Ahead.Text)
                    && !_tokens.Ahead.Text.StartsWith("end", StringComparison.Ordinal):
                    _tokens.Next();
                    body.AddRange(ParseStatement());
                    break;
                case TemplateTokenKind.End when ends.Length > 0:
                    throw _tokens.Mistake($"'{ends[^1]}' is missing");
                default:
                    return body;
            }
        }
    }

    private List<TemplateStatement> ParseStatement()
    {
        var name = _tokens.TakeName();
        switch (name)
        {
            case "if":
                return [ParseIf()];
            case "for":
                return [ParseFor()];
            case "set":
                return [ParseSet()];
            case "macro":
                return [ParseMacro()];
            case "break" or "continue":
                CloseTag();
                return [new FlowStatement(name == "break" ? TemplateFlow.Break : TemplateFlow.Continue)];
            case "generation":
                // Hugging Face's mark around what the model itself says, for training; it writes nothing.
                CloseTag();
                var body = ParseBody("endgeneration");
                TakeEnd("endgeneration");
                return body;
            default:
                throw _tokens.Mistake($"The statement '{name}' is not known");
        }
    }

    private IfStatement ParseIf()
    {
        List<(TemplateExpression? Condition, IReadOnlyList<TemplateStatement> Body)> branches = [];
        var condition = _expressions.ParseTuple();
        while (true)
        {
            CloseTag();
            branches.Add((condition, ParseBody("elif", "else", "endif")));
            _tokens.Next();
            if (_tokens.TryTakeName("elif"))
            {
                condition = _expressions.ParseTuple();
                continue;
            }

            if (_tokens.TryTakeName("else"))
            {
                CloseTag();
                branches.Add((null, ParseBody("endif")));
                _tokens.Next();
            }

            FinishEnd("endif");
            return new IfStatement(branches);
        }
    }

    private ForStatement ParseFor()
    {
        var names = ParseNames();
        if (!_tokens.TryTakeName("in"))
        {
            throw _tokens.Mistake("'in' is missing in a loop");
        }

        var items = _expressions.ParseOr();
        var condition = _tokens.TryTakeName("if") ? _expressions.ParseOr() : null;
        CloseTag();
        var body = ParseBody("else", "endfor");
        _tokens.Next();
        List<TemplateStatement> otherwise = [];
        if (_tokens.TryTakeName("else"))
        {
            CloseTag();
            otherwise = ParseBody("endfor");
            _tokens.Next();
        }

        FinishEnd("endfor");
        return new ForStatement(names, items, condition, body, otherwise);
    }

    private TemplateStatement ParseSet()
    {
        var names = ParseNames();
        var member = names.Count == 1 && _tokens.TryTake(".") ? _tokens.TakeName() : null;
        if (_tokens.TryTake("="))
        {
            var value = _expressions.ParseTuple();
            CloseTag();
            return new SetStatement(names, member, value);
        }

        if (names.Count > 1 || member is not null)
        {
            throw _tokens.Mistake("'=' is missing after 'set'");
        }

        CloseTag();
        var body = ParseBody("endset");
        TakeEnd("endset");
        return new SetBlockStatement(names[0], body);
    }

    private MacroStatement ParseMacro()
    {
        var name = _tokens.TakeName();
        List<(string Name, TemplateExpression? Default)> parameters = [];
        _tokens.Take("(");
        while (!_tokens.TryTake(")"))
        {
            var parameter = _tokens.TakeName();
            parameters.Add((parameter, _tokens.TryTake("=") ? _expressions.Parse() : null));
            if (!_tokens.Current.IsOperator(")"))
            {
                _tokens.Take(",");
            }
        }

        CloseTag();
        var body = ParseBody("endmacro");
        TakeEnd("endmacro");
        return new MacroStatement(name, parameters, body);
    }

    private List<string> ParseNames()
    {
        var isGrouped = _tokens.TryTake("(");
        List<string> names = [_tokens.TakeName()];
        while (_tokens.TryTake(","))
        {
            names.Add(_tokens.TakeName());
        }

        if (isGrouped)
        {
            _tokens.Take(")");
        }

        return names;
    }

    private void TakeEnd(string name)
    {
        _tokens.Take(TemplateTokenKind.OpenStatement, $"'{name}'");
        FinishEnd(name);
    }

    // Its opening has been read.
    private void FinishEnd(string name)
    {
        if (!_tokens.TryTakeName(name))
        {
            throw _tokens.Mistake($"'{name}' is expected, not '{_tokens.Current.Text}'");
        }

        CloseTag();
    }

    private void CloseTag() => _tokens.Take(TemplateTokenKind.CloseStatement, "'%}'");
}
