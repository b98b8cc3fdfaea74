using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>Where control goes after a statement.</summary>
internal enum TemplateFlow
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>The loop's next turn.</summary>
    Continue,

    /// <summary>What comes after the loop.</summary>
    Break,
}

/// <summary>A part of a template that writes or changes something.</summary>
internal abstract record TemplateStatement
{
    /// <exception cref="TemplateException">It cannot be done with these variables, or within the budget.</exception>
    public TemplateFlow Run(TemplateScope scope, StringBuilder output)
    {
        scope.Budget.Enter();
        var flow = Do(scope, output);
        scope.Budget.Leave();
        return flow;
    }

    protected abstract TemplateFlow Do(TemplateScope scope, StringBuilder output);

    /// <summary>Runs statements one after another until one continues or breaks its loop.</summary>
    public static TemplateFlow Run(IReadOnlyList<TemplateStatement> body, TemplateScope scope, StringBuilder output)
    {
        foreach (var statement in body)
        {
            if (statement.Run(scope, output) is not TemplateFlow.Next and var flow)
            {
                return flow;
            }
        }

        return TemplateFlow.Next;
    }
}

internal sealed record TextStatement(string Text) : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        scope.Budget.Make((long)Text.Length);
        output.Append(Text);
        return TemplateFlow.Next;
    }
}

/// <summary><c>{{ value }}</c></summary>
internal sealed record OutputStatement(TemplateExpression Value) : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        var text = TemplateValue.Text(Value.Evaluate(scope), scope.Budget);
        scope.Budget.Make((long)text.Length);
        output.Append(text);
        return TemplateFlow.Next;
    }
}

/// <summary><c>{% break %}</c>, <c>{% continue %}</c></summary>
internal sealed record FlowStatement(TemplateFlow Flow) : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output) => Flow;
}

/// <summary><c>{% if a %}…{% elif b %}…{% else %}…{% endif %}</c>; an else is a branch without a condition.</summary>
internal sealed record IfStatement(IReadOnlyList<(TemplateExpression? Condition, IReadOnlyList<TemplateStatement> Body)> Branches)
    : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        foreach (var (condition, body) in Branches)
        {
            if (condition is null || TemplateValue.IsTrue(condition.Evaluate(scope)))
            {
                return Run(body, scope, output);
            }
        }

        return TemplateFlow.Next;
    }
}

/// <summary><c>{% for a, b in items if condition %}…{% else %}…{% endfor %}</c></summary>
internal sealed record ForStatement(
    IReadOnlyList<string> Names, TemplateExpression Items, TemplateExpression? Condition, IReadOnlyList<TemplateStatement> Body,
    IReadOnlyList<TemplateStatement> Otherwise) : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        var items = TemplateValue.Items(Items.Evaluate(scope), scope.Budget).Where(item =>
            Condition is null || TemplateValue.IsTrue(Condition.Evaluate(Turn(scope, item)))).ToList();
        scope.Budget.MakeItems(items.Count);
        for (var index = 0; index < items.Count; index++)
        {
            var turn = Turn(scope, items[index]);
            turn.Set("loop", new OrderedDictionary<string, object?>
            {
                ["index"] = index + 1L,
                ["index0"] = (long)index,
                ["revindex"] = (long)(items.Count - index),
                ["revindex0"] = items.Count - index - 1L,
                ["first"] = index == 0,
                ["last"] = index == items.Count - 1,
                ["length"] = (long)items.Count,
                ["previtem"] = index > 0 ? items[index - 1] : new TemplateUndefined("loop.previtem"),
                ["nextitem"] = index < items.Count - 1 ? items[index + 1] : new TemplateUndefined("loop.nextitem"),
            });
            if (Run(Body, turn, output) == TemplateFlow.Break)
            {
                break;
            }
        }

        return items.Count == 0 ? Run(Otherwise, scope, output) : TemplateFlow.Next;
    }

    private TemplateScope Turn(TemplateScope scope, object? item)
    {
        // With what a loop knows of itself, about the cost of a hundred characters.
        scope.Budget.Read(100);
        var turn = new TemplateScope(scope);
        SetStatement.Assign(turn, Names, item);
        return turn;
    }
}

/// <summary><c>{% set a = value %}</c>, <c>{% set a, b = values %}</c>, <c>{% set space.member = value %}</c></summary>
internal sealed record SetStatement(IReadOnlyList<string> Names, string? Member, TemplateExpression Value) : TemplateStatement
{
    /// <summary>Gives one name the value, or each of several names an item of it.</summary>
    public static void Assign(TemplateScope scope, IReadOnlyList<string> names, object? value)
    {
        if (names.Count == 1)
        {
            scope.Set(names[0], value);
            return;
        }

        var items = TemplateValue.Items(value, scope.Budget);
        if (items.Count != names.Count)
        {
            throw new TemplateException($"{items.Count} values cannot be given to {names.Count} names");
        }

        for (var index = 0; index < names.Count; index++)
        {
            scope.Set(names[index], items[index]);
        }
    }

    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        var value = Value.Evaluate(scope);
        if (Member is null)
        {
            Assign(scope, Names, value);
        }
        else if (scope.Find(Names[0]) is TemplateNamespace space)
        {
            space.Members[Member] = value;
        }
        else
        {
            throw new TemplateException($"'{Names[0]}' is not a namespace");
        }

        return TemplateFlow.Next;
    }
}

/// <summary><c>{% set a %}…{% endset %}</c></summary>
internal sealed record SetBlockStatement(string Name, IReadOnlyList<TemplateStatement> Body) : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        var text = new StringBuilder();
        var flow = Run(Body, new TemplateScope(scope), text);
        scope.Set(Name, text.ToString());
        return flow;
    }
}

/// <summary><c>{% macro name(a, b=value) %}…{% endmacro %}</c></summary>
internal sealed record MacroStatement(
    string Name, IReadOnlyList<(string Name, TemplateExpression? Default)> Parameters, IReadOnlyList<TemplateStatement> Body)
    : TemplateStatement
{
    protected override TemplateFlow Do(TemplateScope scope, StringBuilder output)
    {
        scope.Set(Name, (TemplateFunction)(arguments => Call(scope.Root, arguments)));
        return TemplateFlow.Next;
    }

    private string Call(TemplateScope root, TemplateArguments arguments)
    {
        var scope = new TemplateScope(root);
        for (var index = 0; index < Parameters.Count; index++)
        {
            var (name, otherwise) = Parameters[index];
            scope.Set(name, arguments.Get(index, name, otherwise is null ? new TemplateUndefined(name) : otherwise.Evaluate(scope)));
        }

        var text = new StringBuilder();
        Run(Body, scope, text);
        return text.ToString();
    }
}
