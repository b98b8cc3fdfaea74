namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// Reads Jinja's expressions: operators from the loosest to the tightest. What they join is the <see cref="OperandParser"/>'s.
/// </summary>
internal sealed class ExpressionParser
{
    private static readonly string[] _comparisons = ["==", "!=", "<=", ">=", "<", ">"];
    private static readonly string[] _factors = ["*", "/", "//", "%"];

    private readonly TemplateTokens _tokens;
    private readonly OperandParser _operands;

    /// <param name="tokens">Where it reads.</param>
    /// <param name="isFunction">Whether something of that name can be called.</param>
    public ExpressionParser(TemplateTokens tokens, Func<string, bool> isFunction) =>
        (_tokens, _operands) = (tokens, new OperandParser(tokens, isFunction, Parse));

    /// <summary>A whole expression, with <c>a if b else c</c>.</summary>
    public TemplateExpression Parse() => _tokens.Nest(ParseConditional);

    private TemplateExpression ParseConditional()
    {
        var value = ParseOr();
        while (_tokens.TryTakeName("if"))
        {
            var condition = ParseOr();
            value = new ConditionalExpression(condition, value, _tokens.TryTakeName("else") ? Parse() : null);
        }

        return value;
    }

    /// <summary>An expression, or several with commas between them, which are a list.</summary>
    public TemplateExpression ParseTuple()
    {
        var first = Parse();
        if (!_tokens.Current.IsOperator(","))
        {
            return first;
        }

        List<TemplateExpression> items = [first];
        while (_tokens.TryTake(","))
        {
            items.Add(Parse());
        }

        return new ListExpression(items);
    }

    /// <summary>An expression without <c>if</c>, such as what a loop goes over, which a filter of the loop may follow.</summary>
    public TemplateExpression ParseOr()
    {
        var left = ParseAnd();
        while (_tokens.TryTakeName("or"))
        {
            left = new LogicalExpression(IsAnd: false, left, ParseAnd());
        }

        return left;
    }

    private TemplateExpression ParseAnd()
    {
        var left = ParseNot();
        while (_tokens.TryTakeName("and"))
        {
            left = new LogicalExpression(IsAnd: true, left, ParseNot());
        }

        return left;
    }

    private TemplateExpression ParseNot() =>
        _tokens.TryTakeName("not") ? new UnaryExpression("not", _tokens.Nest(ParseNot)) : ParseComparison();

    private TemplateExpression ParseComparison()
    {
        var left = ParseSum();
        TemplateExpression? chain = null;
        while (TakeComparison() is { } symbol)
        {
            // a < b < c is a < b and b < c.
            var right = ParseSum();
            var comparison = new BinaryExpression(symbol, left, right);
            chain = chain is null ? comparison : new LogicalExpression(IsAnd: true, chain, comparison);
            left = right;
        }

        return chain ?? left;
    }

    private string? TakeComparison()
    {
        if (_tokens.Current.IsName("not") && _tokens.Ahead.IsName("in"))
        {
            _tokens.Next();
            _tokens.Next();
            return "not in";
        }

        return _tokens.TryTakeName("in") ? "in" : Array.Find(_comparisons, _tokens.TryTake);
    }

    private TemplateExpression ParseSum()
    {
        var left = ParseConcatenation();
        while (_tokens.Current.IsOperator("+") || _tokens.Current.IsOperator("-"))
        {
            left = new BinaryExpression(_tokens.Next().Text, left, ParseConcatenation());
        }

        return left;
    }

    private TemplateExpression ParseConcatenation()
    {
        var left = ParseProduct();
        while (_tokens.TryTake("~"))
        {
            left = new BinaryExpression("~", left, ParseProduct());
        }

        return left;
    }

    private TemplateExpression ParseProduct()
    {
        var left = ParsePower();
        while (Array.Find(_factors, _tokens.TryTake) is { } symbol)
        {
            left = new BinaryExpression(symbol, left, ParsePower());
        }

        return left;
    }

    private TemplateExpression ParsePower()
    {
        var left = ParseUnary(withFilters: true);
        while (_tokens.TryTake("**"))
        {
            left = new BinaryExpression("**", left, ParseUnary(withFilters: true));
        }

        return left;
    }

    private TemplateExpression ParseUnary(bool withFilters)
    {
        var value = _tokens.Current.IsOperator("-") || _tokens.Current.IsOperator("+")
            ? new UnaryExpression(_tokens.Next().Text, _tokens.Nest(() => ParseUnary(withFilters: false)))
            : _operands.Parse();
        return withFilters ? _operands.ParseFilters(value) : value;
    }
}
