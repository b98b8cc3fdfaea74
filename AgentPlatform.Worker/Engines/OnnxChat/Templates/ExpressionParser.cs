using System.Globalization;

namespace AgentPlatform.Worker.Engines.OnnxChat.Templates;

/// <summary>Reads Jinja's expressions. What is not known, be it a filter, a test, a method or a function, is a mistake when the template is loaded.</summary>
internal sealed class ExpressionParser(TemplateTokens tokens, Func<string, bool> isFunction)
{
    private static readonly string[] _comparisons = ["==", "!=", "<=", ">=", "<", ">"];
    private static readonly string[] _factors = ["*", "/", "//", "%"];

    /// <summary>A whole expression, with <c>a if b else c</c>.</summary>
    public TemplateExpression Parse()
    {
        var value = ParseOr();
        while (tokens.TryTakeName("if"))
        {
            var condition = ParseOr();
            value = new ConditionalExpression(condition, value, tokens.TryTakeName("else") ? Parse() : null);
        }

        return value;
    }

    /// <summary>An expression, or several with commas between them, which are a list.</summary>
    public TemplateExpression ParseTuple()
    {
        var first = Parse();
        if (!tokens.Current.IsOperator(","))
        {
            return first;
        }

        List<TemplateExpression> items = [first];
        while (tokens.TryTake(","))
        {
            items.Add(Parse());
        }

        return new ListExpression(items);
    }

    /// <summary>An expression without <c>if</c>, such as what a loop goes over, which a filter of the loop may follow.</summary>
    public TemplateExpression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.TryTakeName("or"))
        {
            left = new LogicalExpression(IsAnd: false, left, ParseAnd());
        }

        return left;
    }

    /// <summary><c>(a, b, key=c)</c>, from the opening parenthesis on.</summary>
    public ArgumentsExpression ParseArguments()
    {
        tokens.Take("(");
        List<TemplateExpression> positional = [];
        List<(string Name, TemplateExpression Value)> named = [];
        while (!tokens.TryTake(")"))
        {
            if (tokens.Current.Kind == TemplateTokenKind.Name && tokens.Ahead.IsOperator("="))
            {
                var name = tokens.TakeName();
                tokens.Take("=");
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }

            if (!tokens.Current.IsOperator(")"))
            {
                tokens.Take(",");
            }
        }

        return new ArgumentsExpression(positional, named);
    }

    private TemplateExpression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.TryTakeName("and"))
        {
            left = new LogicalExpression(IsAnd: true, left, ParseNot());
        }

        return left;
    }

    private TemplateExpression ParseNot() => tokens.TryTakeName("not") ? new UnaryExpression("not", ParseNot()) : ParseComparison();

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
        if (tokens.Current.IsName("not") && tokens.Ahead.IsName("in"))
        {
            tokens.Next();
            tokens.Next();
            return "not in";
        }

        return tokens.TryTakeName("in") ? "in" : Array.Find(_comparisons, tokens.TryTake);
    }

    private TemplateExpression ParseSum()
    {
        var left = ParseConcatenation();
        while (tokens.Current.IsOperator("+") || tokens.Current.IsOperator("-"))
        {
            left = new BinaryExpression(tokens.Next().Text, left, ParseConcatenation());
        }

        return left;
    }

    private TemplateExpression ParseConcatenation()
    {
        var left = ParseProduct();
        while (tokens.TryTake("~"))
        {
            left = new BinaryExpression("~", left, ParseProduct());
        }

        return left;
    }

    private TemplateExpression ParseProduct()
    {
        var left = ParsePower();
        while (Array.Find(_factors, tokens.TryTake) is { } symbol)
        {
            left = new BinaryExpression(symbol, left, ParsePower());
        }

        return left;
    }

    private TemplateExpression ParsePower()
    {
        var left = ParseUnary(withFilters: true);
        while (tokens.TryTake("**"))
        {
            left = new BinaryExpression("**", left, ParseUnary(withFilters: true));
        }

        return left;
    }

    private TemplateExpression ParseUnary(bool withFilters)
    {
        var value = tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+")
            ? new UnaryExpression(tokens.Next().Text, ParseUnary(withFilters: false))
            : ParseMembers(ParsePrimary());
        return withFilters ? ParseFilters(value) : value;
    }

    private TemplateExpression ParsePrimary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TemplateTokenKind.String:
                var text = token.Text;
                while (tokens.Current.Kind == TemplateTokenKind.String)
                {
                    text += tokens.Next().Text;
                }

                return new ConstantExpression(text);
            case TemplateTokenKind.Integer when long.TryParse(token.Text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out var integer):
                return new ConstantExpression(integer);
            case TemplateTokenKind.Float:
                return new ConstantExpression(double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TemplateTokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(true),
                    "false" or "False" => new ConstantExpression(false),
                    "none" or "None" => new ConstantExpression(null),
                    var name => new NameExpression(name),
                };
            case TemplateTokenKind.Operator when token.Text == "(":
                return ParseParenthesis();
            case TemplateTokenKind.Operator when token.Text == "[":
                return new ListExpression(ParseItems("]", Parse));
            case TemplateTokenKind.Operator when token.Text == "{":
                return new DictionaryExpression(ParseItems("}", ParseMember));
            default:
                throw tokens.Mistake(token.Text.Length > 0 ? $"'{token.Text}' is not the beginning of an expression" : "an expression is missing");
        }
    }

    // (a) is a; (a, b), (a,) and () are lists.
    private TemplateExpression ParseParenthesis()
    {
        if (tokens.TryTake(")"))
        {
            return new ListExpression([]);
        }

        var first = Parse();
        if (tokens.TryTake(")"))
        {
            return first;
        }

        tokens.Take(",");
        return new ListExpression([first, .. ParseItems(")", Parse)]);
    }

    private List<T> ParseItems<T>(string close, Func<T> parse)
    {
        List<T> items = [];
        while (!tokens.TryTake(close))
        {
            items.Add(parse());
            if (!tokens.Current.IsOperator(close))
            {
                tokens.Take(",");
            }
        }

        return items;
    }

    private (TemplateExpression Key, TemplateExpression Value) ParseMember()
    {
        var key = Parse();
        tokens.Take(":");
        return (key, Parse());
    }

    private TemplateExpression ParseMembers(TemplateExpression value)
    {
        while (true)
        {
            if (tokens.TryTake("."))
            {
                value = tokens.Current.Kind == TemplateTokenKind.Integer
                    ? new ItemExpression(value, ParsePrimary())
                    : ParseAttribute(value, tokens.TakeName());
            }
            else if (tokens.TryTake("["))
            {
                value = ParseSubscript(value);
            }
            else if (tokens.Current.IsOperator("("))
            {
                value = value is NameExpression { Name: var name } && isFunction(name)
                    ? new CallExpression(name, ParseArguments())
                    : throw tokens.Mistake(value is NameExpression { Name: var unknown } ? $"The function '{unknown}' is not known" : "Only functions and methods can be called");
            }
            else
            {
                return value;
            }
        }
    }

    private TemplateExpression ParseAttribute(TemplateExpression value, string name)
    {
        if (!tokens.Current.IsOperator("("))
        {
            return new ItemExpression(value, new ConstantExpression(name));
        }

        return TemplateMethods.Knows(name) ? new MethodExpression(value, name, ParseArguments()) : throw tokens.Mistake($"The method '{name}' is not known");
    }

    private TemplateExpression ParseSubscript(TemplateExpression value)
    {
        var start = tokens.Current.IsOperator(":") ? null : Parse();
        if (tokens.TryTake("]"))
        {
            return new ItemExpression(value, start!);
        }

        tokens.Take(":");
        var stop = tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") ? null : Parse();
        var step = tokens.TryTake(":") && !tokens.Current.IsOperator("]") ? Parse() : null;
        tokens.Take("]");
        return new SliceExpression(value, start, stop, step);
    }

    private TemplateExpression ParseFilters(TemplateExpression value)
    {
        while (true)
        {
            if (tokens.TryTake("|"))
            {
                var name = tokens.TakeName();
                var filter = TemplateFilters.Find(name) ?? throw tokens.Mistake($"The filter '{name}' is not known");
                value = new FilterExpression(value, filter, tokens.Current.IsOperator("(") ? ParseArguments() : ArgumentsExpression.None);
            }
            else if (tokens.TryTakeName("is"))
            {
                value = ParseTest(value);
            }
            else
            {
                return value;
            }
        }
    }

    private TemplateExpression ParseTest(TemplateExpression value)
    {
        var negated = tokens.TryTakeName("not");
        var name = tokens.TakeName();
        var test = TemplateTests.Find(name) ?? throw tokens.Mistake($"The test '{name}' is not known");
        var arguments = tokens.Current.IsOperator("(") ? ParseArguments()
            : IsBareArgument() ? new ArgumentsExpression([ParseMembers(ParsePrimary())], []) : ArgumentsExpression.None;
        TemplateExpression tested = new TestExpression(value, test, arguments);
        return negated ? new UnaryExpression("not", tested) : tested;
    }

    // x is divisibleby 3, x is equalto y
    private bool IsBareArgument() => tokens.Current.Kind switch
    {
        TemplateTokenKind.String or TemplateTokenKind.Integer or TemplateTokenKind.Float => true,
        TemplateTokenKind.Name => tokens.Current.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        _ => tokens.Current.IsOperator("[") || tokens.Current.IsOperator("{"),
    };
}
