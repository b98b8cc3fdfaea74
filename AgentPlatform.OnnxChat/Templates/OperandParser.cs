using System.Globalization;
using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// Reads what operators of Jinja's expressions join: constants, names, lists, members, calls, filters, tests.
/// What is not known, be it a filter, a test, a method or a function, is a mistake when the template is loaded.
/// </summary>
/// <param name="tokens">Where it reads.</param>
/// <param name="isFunction">Whether something of that name can be called.</param>
/// <param name="parse">Reads a whole expression, such as one in parentheses.</param>
internal sealed class OperandParser(TemplateTokens tokens, Func<string, bool> isFunction, Func<TemplateExpression> parse)
{
    /// <summary>An operand with its members and calls: <c>a.b[c](d)</c></summary>
    public TemplateExpression Parse() => ParseMembers(ParsePrimary());

    private TemplateExpression ParsePrimary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TemplateTokenKind.String:
                var text = new StringBuilder(token.Text);
                while (tokens.Current.Kind == TemplateTokenKind.String)
                {
                    text.Append(tokens.Next().Text);
                }

                return new ConstantExpression(text.ToString());
            case TemplateTokenKind.Integer when long.TryParse(
                token.Text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out var integer):
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
                return new ListExpression(ParseItems("]", parse));
            case TemplateTokenKind.Operator when token.Text == "{":
                return new DictionaryExpression(ParseItems("}", ParseMember));
            default:
                throw tokens.Mistake(
                    token.Text.Length > 0 ? $"'{token.Text}' is not the beginning of an expression" : "an expression is missing");
        }
    }

    // (a) is a; (a, b), (a,) and () are lists.
    private TemplateExpression ParseParenthesis()
    {
        if (tokens.TryTake(")"))
        {
            return new ListExpression([]);
        }

        var first = parse();
        if (tokens.TryTake(")"))
        {
            return first;
        }

        tokens.Take(",");
        return new ListExpression([first, .. ParseItems(")", parse)]);
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
        var key = parse();
        tokens.Take(":");
        return (key, parse());
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
                    : throw tokens.Mistake(value is NameExpression { Name: var unknown }
                        ? $"The function '{unknown}' is not known"
                        : "Only functions and methods can be called");
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

        return TemplateMethods.Knows(name)
            ? new MethodExpression(value, name, ParseArguments())
            : throw tokens.Mistake($"The method '{name}' is not known");
    }

    private TemplateExpression ParseSubscript(TemplateExpression value)
    {
        var start = tokens.Current.IsOperator(":") ? null : parse();
        if (tokens.TryTake("]"))
        {
            return new ItemExpression(value, start!);
        }

        tokens.Take(":");
        var stop = tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") ? null : parse();
        var step = tokens.TryTake(":") && !tokens.Current.IsOperator("]") ? parse() : null;
        tokens.Take("]");
        return new SliceExpression(value, start, stop, step);
    }

    /// <summary>A value with the filters and tests that follow it: <c>a | b is c</c></summary>
    public TemplateExpression ParseFilters(TemplateExpression value)
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
        var test = TemplatePredicates.Find(name) ?? throw tokens.Mistake($"The test '{name}' is not known");
        var arguments = tokens.Current.IsOperator("(") ? ParseArguments()
            : IsBareArgument() ? new ArgumentsExpression([Parse()], []) : ArgumentsExpression.None;
        TemplateExpression tested = new TestExpression(value, test, arguments);
        return negated ? new UnaryExpression("not", tested) : tested;
    }

    // (a, b, key=c), from the opening parenthesis on.
    private ArgumentsExpression ParseArguments()
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
                named.Add(named.Exists(other => other.Name == name)
                    ? throw tokens.Mistake($"The argument '{name}' is there twice")
                    : (name, parse()));
            }
            else
            {
                positional.Add(parse());
            }

            if (!tokens.Current.IsOperator(")"))
            {
                tokens.Take(",");
            }
        }

        return new ArgumentsExpression(positional, named);
    }

    // x is divisibleby 3, x is equalto y
    private bool IsBareArgument() => tokens.Current.Kind switch
    {
        TemplateTokenKind.String or TemplateTokenKind.Integer or TemplateTokenKind.Float => true,
        TemplateTokenKind.Name => tokens.Current.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        _ => tokens.Current.IsOperator("[") || tokens.Current.IsOperator("{"),
    };
}
