namespace AgentPlatform.Worker.Engines.OnnxChat.Templates;

/// <summary>A part of a template that has a value.</summary>
internal abstract record TemplateExpression
{
    /// <exception cref="TemplateException">It has none with these variables.</exception>
    public abstract object? Evaluate(TemplateScope scope);
}

internal sealed record ConstantExpression(object? Value) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => Value;
}

internal sealed record NameExpression(string Name) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => scope.Find(Name);
}

internal sealed record ListExpression(IReadOnlyList<TemplateExpression> Items) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => Items.Select(item => item.Evaluate(scope)).ToList();
}

internal sealed record DictionaryExpression(IReadOnlyList<(TemplateExpression Key, TemplateExpression Value)> Members) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var dictionary = new OrderedDictionary<string, object?>();
        foreach (var (key, value) in Members)
        {
            dictionary[TemplateValue.Text(key.Evaluate(scope))] = value.Evaluate(scope);
        }

        return dictionary;
    }
}

/// <summary><c>not x</c>, <c>-x</c>, <c>+x</c></summary>
internal sealed record UnaryExpression(string Symbol, TemplateExpression Operand) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var value = Operand.Evaluate(scope);
        return Symbol == "not" ? !TemplateValue.IsTrue(value) : Symbol == "-" ? TemplateValue.Calculate("-", 0L, value) : value;
    }
}

/// <summary>Comparison, arithmetic, <c>~</c>, <c>in</c>, <c>not in</c></summary>
internal sealed record BinaryExpression(string Symbol, TemplateExpression Left, TemplateExpression Right) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var (left, right) = (Left.Evaluate(scope), Right.Evaluate(scope));
        return Symbol switch
        {
            "==" => TemplateValue.Equals(left, right),
            "!=" => !TemplateValue.Equals(left, right),
            "<" => TemplateValue.Compare(left, right) < 0,
            "<=" => TemplateValue.Compare(left, right) <= 0,
            ">" => TemplateValue.Compare(left, right) > 0,
            ">=" => TemplateValue.Compare(left, right) >= 0,
            "in" => TemplateValue.Contains(right, left),
            "not in" => !TemplateValue.Contains(right, left),
            "~" => TemplateValue.Text(left) + TemplateValue.Text(right),
            _ => TemplateValue.Calculate(Symbol, left, right),
        };
    }
}

/// <summary><c>and</c>, <c>or</c>: the value that decides, as in Python.</summary>
internal sealed record LogicalExpression(bool IsAnd, TemplateExpression Left, TemplateExpression Right) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var left = Left.Evaluate(scope);
        return TemplateValue.IsTrue(left) == IsAnd ? Right.Evaluate(scope) : left;
    }
}

/// <summary><c>a if condition else b</c></summary>
internal sealed record ConditionalExpression(TemplateExpression Condition, TemplateExpression Then, TemplateExpression? Otherwise) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) =>
        TemplateValue.IsTrue(Condition.Evaluate(scope)) ? Then.Evaluate(scope) : Otherwise is null ? new TemplateUndefined("else") : Otherwise.Evaluate(scope);
}

/// <summary><c>a.name</c>, <c>a["name"]</c>, <c>a[0]</c>, <c>a[-1]</c></summary>
internal sealed record ItemExpression(TemplateExpression Target, TemplateExpression Key) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var (target, key) = (Target.Evaluate(scope), Key.Evaluate(scope));
        var missing = new TemplateUndefined(TemplateValue.Text(key));
        return (target, key) switch
        {
            (TemplateUndefined undefined, _) => throw new TemplateException($"'{undefined.Name}' is undefined"),
            (IReadOnlyDictionary<string, object?> dictionary, string name) => dictionary.TryGetValue(name, out var value) ? value : missing,
            (TemplateNamespace space, string name) => space.Members.TryGetValue(name, out var value) ? value : missing,
            (IReadOnlyList<object?> list, long index) => At(index, list.Count) is { } at ? list[at] : missing,
            (string text, long index) => At(index, text.Length) is { } at ? text[at].ToString() : missing,
            _ => missing,
        };
    }

    private static int? At(long index, int length) =>
        index >= 0 && index < length ? (int)index : index < 0 && index >= -length ? (int)index + length : null;
}

/// <summary><c>a[start:stop:step]</c></summary>
internal sealed record SliceExpression(TemplateExpression Target, TemplateExpression? Start, TemplateExpression? Stop, TemplateExpression? Step) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope)
    {
        var target = Target.Evaluate(scope);
        var text = target as string;
        var items = text is null ? TemplateValue.Items(target) : [.. text.Select(character => (object?)character.ToString())];
        var step = Bound(Step, scope) ?? 1;
        if (step == 0)
        {
            throw new TemplateException("a slice's step cannot be zero");
        }

        // As Python does it: negative bounds count from the end, bounds beyond an end mean that end.
        var (lowest, highest) = step > 0 ? (0L, (long)items.Count) : (-1L, items.Count - 1L);
        var start = Clamp(Bound(Start, scope), step > 0 ? lowest : highest);
        var stop = Clamp(Bound(Stop, scope), step > 0 ? highest : lowest);
        List<object?> slice = [];
        for (var index = start; step > 0 ? index < stop : index > stop; index += step)
        {
            slice.Add(items[(int)index]);
        }

        return text is null ? slice : string.Concat(slice);

        long Clamp(long? bound, long otherwise) => bound is { } value ? Math.Clamp(value < 0 ? value + items.Count : value, lowest, highest) : otherwise;
    }

    private static long? Bound(TemplateExpression? bound, TemplateScope scope) => bound?.Evaluate(scope) switch
    {
        null => null,
        long value => value,
        var other => throw new TemplateException($"a slice's bound must be an integer and is {TemplateValue.Describe(other)}"),
    };
}

/// <summary>Arguments as they are written.</summary>
internal sealed record ArgumentsExpression(IReadOnlyList<TemplateExpression> Positional, IReadOnlyList<(string Name, TemplateExpression Value)> Named)
{
    public static ArgumentsExpression None { get; } = new([], []);

    public TemplateArguments Evaluate(TemplateScope scope) => new(
        [.. Positional.Select(argument => argument.Evaluate(scope))],
        Named.ToDictionary(argument => argument.Name, argument => argument.Value.Evaluate(scope), StringComparer.Ordinal));
}

/// <summary><c>name(...)</c>: a function or a macro.</summary>
internal sealed record CallExpression(string Name, ArgumentsExpression Arguments) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => scope.Find(Name) is TemplateFunction function
        ? function(Arguments.Evaluate(scope))
        : throw new TemplateException($"'{Name}' is not a function");
}

/// <summary><c>value.method(...)</c></summary>
internal sealed record MethodExpression(TemplateExpression Target, string Name, ArgumentsExpression Arguments) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => TemplateMethods.Call(Target.Evaluate(scope), Name, Arguments.Evaluate(scope));
}

/// <summary><c>value | filter(...)</c></summary>
internal sealed record FilterExpression(TemplateExpression Target, TemplateFilter Filter, ArgumentsExpression Arguments) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => Filter(Target.Evaluate(scope), Arguments.Evaluate(scope));
}

/// <summary><c>value is test(...)</c></summary>
internal sealed record TestExpression(TemplateExpression Target, TemplateTest Test, ArgumentsExpression Arguments) : TemplateExpression
{
    public override object? Evaluate(TemplateScope scope) => Test(Target.Evaluate(scope), Arguments.Evaluate(scope));
}
