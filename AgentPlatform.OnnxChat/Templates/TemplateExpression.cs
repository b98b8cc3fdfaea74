using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>A part of a template that has a value.</summary>
internal abstract record TemplateExpression
{
    /// <exception cref="TemplateException">It has none with these variables, or within the budget.</exception>
    public object? Evaluate(TemplateScope scope)
    {
        scope.Budget.Enter();
        var value = Compute(scope);
        scope.Budget.Leave();
        return value;
    }

    protected abstract object? Compute(TemplateScope scope);
}

internal sealed record ConstantExpression(object? Value) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => Value;
}

internal sealed record NameExpression(string Name) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => scope.Find(Name);
}

internal sealed record ListExpression(IReadOnlyList<TemplateExpression> Items) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => scope.Budget.Make(Items.Select(item => item.Evaluate(scope)).ToList());
}

internal sealed record DictionaryExpression(IReadOnlyList<(TemplateExpression Key, TemplateExpression Value)> Members) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope)
    {
        var dictionary = new OrderedDictionary<string, object?>();
        foreach (var (key, value) in Members)
        {
            dictionary[TemplateValue.Text(key.Evaluate(scope), scope.Budget)] = value.Evaluate(scope);
        }

        return scope.Budget.Make(dictionary);
    }
}

/// <summary><c>not x</c>, <c>-x</c>, <c>+x</c></summary>
internal sealed record UnaryExpression(string Symbol, TemplateExpression Operand) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope)
    {
        var value = Operand.Evaluate(scope);
        return Symbol == "not" ? !TemplateValue.IsTrue(value)
            : Symbol == "-" ? TemplateValue.Calculate("-", 0L, value, scope.Budget)
            : value;
    }
}

/// <summary>Comparison, arithmetic, <c>~</c>, <c>in</c>, <c>not in</c></summary>
internal sealed record BinaryExpression(string Symbol, TemplateExpression Left, TemplateExpression Right) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope)
    {
        var (left, right, budget) = (Left.Evaluate(scope), Right.Evaluate(scope), scope.Budget);
        return Symbol switch
        {
            "==" => TemplateValue.Equals(left, right, budget),
            "!=" => !TemplateValue.Equals(left, right, budget),
            "<" => TemplateValue.Compare(left, right, budget) < 0,
            "<=" => TemplateValue.Compare(left, right, budget) <= 0,
            ">" => TemplateValue.Compare(left, right, budget) > 0,
            ">=" => TemplateValue.Compare(left, right, budget) >= 0,
            "in" => TemplateValue.Contains(right, left, budget),
            "not in" => !TemplateValue.Contains(right, left, budget),
            "~" => TemplateValue.Join(left, right, budget),
            _ => TemplateValue.Calculate(Symbol, left, right, budget),
        };
    }
}

/// <summary><c>and</c>, <c>or</c>: the value that decides, as in Python.</summary>
internal sealed record LogicalExpression(bool IsAnd, TemplateExpression Left, TemplateExpression Right) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope)
    {
        var left = Left.Evaluate(scope);
        return TemplateValue.IsTrue(left) == IsAnd ? Right.Evaluate(scope) : left;
    }
}

/// <summary><c>a if condition else b</c></summary>
internal sealed record ConditionalExpression(TemplateExpression Condition, TemplateExpression Then, TemplateExpression? Otherwise)
    : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) =>
        TemplateValue.IsTrue(Condition.Evaluate(scope))
            ? Then.Evaluate(scope)
            : Otherwise is null ? new TemplateUndefined("else")
            : Otherwise.Evaluate(scope);
}

/// <summary><c>a.name</c>, <c>a["name"]</c>, <c>a[0]</c>, <c>a[-1]</c></summary>
internal sealed record ItemExpression(TemplateExpression Target, TemplateExpression Key) : TemplateExpression
{
    /// <summary>The member or item of <paramref name="target"/>.</summary>
    public static object? Of(object? target, object? key)
    {
        var missing = new TemplateUndefined(key as string ?? TemplateValue.DisplayName(key));
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

    protected override object? Compute(TemplateScope scope) => Of(Target.Evaluate(scope), Key.Evaluate(scope));

    private static int? At(long index, int length) =>
        index >= 0 && index < length ? (int)index : index < 0 && index >= -length ? (int)index + length : null;
}

/// <summary><c>a[start:stop:step]</c></summary>
internal sealed record SliceExpression(
    TemplateExpression Target, TemplateExpression? Start, TemplateExpression? Stop, TemplateExpression? Step) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope)
    {
        var target = Target.Evaluate(scope);
        var text = target as string;
        var items = text is null ? TemplateValue.Items(target, scope.Budget) : [];
        var count = text?.Length ?? items.Count;
        var step = Bound(Step, scope) ?? 1;
        if (step == 0)
        {
            throw new TemplateException("a slice's step cannot be zero");
        }

        // As Python does it: negative bounds count from the end, bounds beyond an end mean that end.
        var (lowest, highest) = step > 0 ? (0L, (long)count) : (-1L, count - 1L);
        var start = Clamp(Bound(Start, scope), step > 0 ? lowest : highest);
        var stop = Clamp(Bound(Stop, scope), step > 0 ? highest : lowest);
        var (slice, characters) = (new List<object?>(), new StringBuilder());
        for (var index = start; step > 0 ? index < stop : index > stop; index += Math.Clamp(step, -count - 1L, count + 1L))
        {
            if (text is null)
            {
                slice.Add(items[(int)index]);
            }
            else
            {
                characters.Append(text[(int)index]);
            }
        }

        return scope.Budget.Make(text is null ? slice : characters.ToString());

        long Clamp(long? bound, long otherwise) =>
            bound is { } value ? Math.Clamp(value < 0 ? value + count : value, lowest, highest) : otherwise;
    }

    private static long? Bound(TemplateExpression? bound, TemplateScope scope) => bound?.Evaluate(scope) switch
    {
        null => null,
        long value => value,
        var other => throw new TemplateException($"a slice's bound must be an integer and is {TemplateValue.DisplayName(other)}"),
    };
}

/// <summary>Arguments as they are written.</summary>
internal sealed record ArgumentsExpression(
    IReadOnlyList<TemplateExpression> Positional, IReadOnlyList<(string Name, TemplateExpression Value)> Named)
{
    public static ArgumentsExpression None { get; } = new([], []);

    public TemplateArguments Evaluate(TemplateScope scope) => new(
        [.. Positional.Select(argument => argument.Evaluate(scope))],
        Named.ToDictionary(argument => argument.Name, argument => argument.Value.Evaluate(scope), StringComparer.Ordinal),
        scope.Budget);
}

/// <summary><c>name(...)</c>: a function or a macro.</summary>
internal sealed record CallExpression(string Name, ArgumentsExpression Arguments) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => scope.Find(Name) is TemplateFunction function
        ? scope.Budget.Make(function(Arguments.Evaluate(scope)))
        : throw new TemplateException($"'{Name}' is not a function");
}

/// <summary><c>value.method(...)</c></summary>
internal sealed record MethodExpression(TemplateExpression Target, string Name, ArgumentsExpression Arguments) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) =>
        scope.Budget.Make(TemplateMethods.Call(Target.Evaluate(scope), Name, Arguments.Evaluate(scope)));
}

/// <summary><c>value | filter(...)</c></summary>
internal sealed record FilterExpression(TemplateExpression Target, TemplateFilter Filter, ArgumentsExpression Arguments)
    : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => Apply(Filter, Target.Evaluate(scope), Arguments.Evaluate(scope));

    /// <summary>What a filter makes of a value, on the budget.</summary>
    public static object? Apply(TemplateFilter filter, object? value, TemplateArguments arguments)
    {
        arguments.Budget.Read(value is string text ? text.Length : 0);
        var made = filter(value, arguments);
        return ReferenceEquals(made, value) ? made : arguments.Budget.Make(made);
    }
}

/// <summary><c>value is test(...)</c></summary>
internal sealed record TestExpression(TemplateExpression Target, TemplateTest Test, ArgumentsExpression Arguments) : TemplateExpression
{
    protected override object? Compute(TemplateScope scope) => Test(Target.Evaluate(scope), Arguments.Evaluate(scope));
}
