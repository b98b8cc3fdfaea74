namespace AgentPlatform.OnnxChat.Templates;

/// <summary>The variables that an expression sees. A loop's body and a macro's have one of their own, above that around them.</summary>
internal sealed class TemplateScope
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);
    private readonly TemplateScope? _outer;

    /// <summary>That of a whole template.</summary>
    public TemplateScope(TemplateBudget budget) => Budget = budget;

    /// <summary>One above that around it.</summary>
    public TemplateScope(TemplateScope outer) => (_outer, Budget) = (outer, outer.Budget);

    /// <summary>What the rendering may still cost.</summary>
    public TemplateBudget Budget { get; }

    /// <summary>The scope of the whole template.</summary>
    public TemplateScope Root => _outer?.Root ?? this;

    /// <summary>The value of a variable; <see cref="TemplateUndefined"/> if there is none.</summary>
    public object? Find(string name) =>
        _variables.TryGetValue(name, out var value) ? value : _outer is not null ? _outer.Find(name) : new TemplateUndefined(name);

    /// <summary>Sets a variable of this scope.</summary>
    public void Set(string name, object? value) => _variables[name] = value;
}

/// <summary>What a name without a value stands for: it is false, empty, and an error to be used further.</summary>
internal sealed record TemplateUndefined(string Name);

/// <summary>What <c>namespace(...)</c> makes: the one thing whose members a template can set, also from inside a loop.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Members { get; } = new(StringComparer.Ordinal);
}

/// <summary>Arguments of a call, a filter or a test, with readers for those that a function knows.</summary>
internal sealed record TemplateArguments(
    IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named, TemplateBudget Budget)
{
    /// <summary>The argument at a place or of a name; <paramref name="otherwise"/> if there is none.</summary>
    public object? Get(int index, string name, object? otherwise = null) =>
        index < Positional.Count ? Positional[index] : Named.GetValueOrDefault(name, otherwise);

    public string? Text(int index, string name) => Get(index, name) switch
    {
        null => null,
        string text => text,
        var other => throw new TemplateException($"'{name}' must be a string and is {TemplateValue.DisplayName(other)}"),
    };

    public long Integer(int index, string name, long otherwise) => Get(index, name, otherwise) switch
    {
        long number => number,
        var other => throw new TemplateException($"'{name}' must be an integer and is {TemplateValue.DisplayName(other)}"),
    };
}

/// <summary>Something that a template can call.</summary>
internal delegate object? TemplateFunction(TemplateArguments arguments);
