using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// A model's chat template: the Jinja program that turns messages into the one text that the model continues. Knows what chat
/// templates use of Jinja (https://jinja.palletsprojects.com/en/stable/templates/), in the surroundings that Hugging Face gives
/// them (https://huggingface.co/docs/transformers/chat_templating); the rest is refused when it is loaded.
/// </summary>
/// <remarks>
/// Safe for concurrent use. The same variables and time give the same text.
/// </remarks>
internal sealed class ChatTemplate
{
    // As in Jinja's sandbox.
    private const int MaxRange = 100_000;

    private const string Clock = "strftime_now";

    private static readonly Dictionary<string, TemplateFunction> _functions = new(StringComparer.Ordinal)
    {
        ["namespace"] = MakeNamespace,
        ["dict"] = static arguments => new OrderedDictionary<string, object?>(arguments.Named),
        ["range"] = Range,
        ["raise_exception"] = static arguments =>
            throw new TemplateException(TemplateValue.Text(arguments.Get(0, "message"), arguments.Budget)),
    };

    private readonly IReadOnlyList<TemplateStatement> _body;

    private ChatTemplate(IReadOnlyList<TemplateStatement> body) => _body = body;

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateSyntaxException">It is not well formed, or uses what is not known here.</exception>
    public static ChatTemplate Parse(string source) => source.Length <= TemplateBudget.MaxSource
        ? new(TemplateParser.Parse(source, [.. _functions.Keys, Clock]))
        : throw new TemplateSyntaxException($"The template has more than {TemplateBudget.MaxSource} characters", line: 1);

    /// <summary>The text that the model continues.</summary>
    /// <param name="variables">
    /// What the template can use: <c>messages</c>, <c>add_generation_prompt</c>, <c>bos_token</c> and so on.
    /// </param>
    /// <param name="now">What templates that write the date take for it.</param>
    /// <param name="cancellationToken">Ends it at any time.</param>
    /// <exception cref="TemplateException">
    /// The template refuses these messages, cannot deal with them, or not within its budget (<see cref="TemplateBudget"/>).
    /// </exception>
    public string Render(
        IEnumerable<KeyValuePair<string, object?>> variables, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        var values = variables.ToList();
        var scope = new TemplateScope(new TemplateBudget(values.Sum(variable => TemplateBudget.SizeOf(variable.Value)), cancellationToken));
        scope.Set(Clock, (TemplateFunction)(arguments => TemplateClock.Format(now, arguments.Text(0, "format") ?? "")));
        foreach (var (name, function) in _functions)
        {
            scope.Set(name, function);
        }

        foreach (var (name, value) in values)
        {
            scope.Set(name, value);
        }

        var output = new StringBuilder();
        TemplateStatement.Run(_body, scope, output);
        return output.ToString();
    }

    private static TemplateNamespace MakeNamespace(TemplateArguments arguments)
    {
        var space = new TemplateNamespace();
        foreach (var (name, value) in arguments.Named)
        {
            space.Members[name] = value;
        }

        return space;
    }

    // range(stop), range(start, stop), range(start, stop, step)
    private static List<object?> Range(TemplateArguments arguments)
    {
        var first = arguments.Integer(0, "start", 0);
        var (start, stop) = arguments.Positional.Count > 1 ? (first, arguments.Integer(1, "stop", 0)) : (0, first);
        var step = arguments.Integer(2, "step", 1);
        List<object?> numbers = [];
        for (var number = start; step > 0 ? number < stop : step < 0 && number > stop; number += step)
        {
            if (numbers.Count == MaxRange)
            {
                throw new TemplateException($"a range may have {MaxRange} numbers at most");
            }

            numbers.Add(number);
        }

        return numbers;
    }
}
