using System.Runtime.CompilerServices;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// What one rendering may cost. Templates come with a model, and a model from strangers: whatever one does, it ends soon, with a
/// sentence, within bounded memory. Costs are counted, not timed, so that the same template and conversation always fare alike.
/// </summary>
/// <remarks>One rendering.</remarks>
/// <param name="input">Characters and items of the conversation, which a template may write several times.</param>
/// <param name="cancellationToken">Ends the rendering.</param>
internal sealed class TemplateBudget(long input, CancellationToken cancellationToken)
{
    /// <summary>Most characters of a template.</summary>
    public const int MaxSource = 1 << 20;

    /// <summary>Most brackets, signs and blocks inside of one another in a template's source.</summary>
    public const int MaxNesting = 100;

    // Expressions inside of expressions, statements and macros while they are computed: some frames of the stack each.
    private const int MaxDepth = 500;

    private const long MaxSteps = 10_000_000;
    private const long MaxMadeAtLeast = 8 << 20;
    private const int MaxMadePerInput = 32;

    // What an item of a list costs, in characters; characters that are read
    // or written in the time of one step; steps between looks at the token.
    private const int ItemCost = 4;
    private const int StepLength = 16;
    private const int CheckInterval = 4096;

    private readonly long _mostMade = MaxMadeAtLeast + (MaxMadePerInput * input);
    private long _made;
    private long _steps;
    private long _nextCheck = CheckInterval;
    private int _depth;

    /// <summary>Something inside of what is computed; <see cref="Leave"/> ends it.</summary>
    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new TemplateException(
                $"the chat template is nested more than {MaxDepth} deep, or its macros call themselves without an end");
        }

        Step(1);
    }

    /// <summary>Not called where a failure ends the rendering.</summary>
    public void Leave() => _depth--;

    /// <summary>Reads a text of so many characters.</summary>
    public void Read(long length) => Step(1 + (length / StepLength));

    /// <summary>Looks for a part in a text, which at worst compares most of it at each place.</summary>
    public void Search(string text, string part) => Read((long)text.Length * (1 + (part.Length / StepLength)));

    /// <summary>Makes a text of so many characters.</summary>
    public void Make(long length)
    {
        if (length > _mostMade - _made)
        {
            throw new TemplateException($"the chat template makes texts and lists of more than {_mostMade} characters");
        }

        _made += length;
        Read(length);
    }

    /// <summary>Makes a list of so many items.</summary>
    public void MakeItems(long count) => Make(Math.Min(count, long.MaxValue / ItemCost) * ItemCost);

    /// <summary>Makes a value that is there already, such as a filter's.</summary>
    public object? Make(object? value)
    {
        switch (value)
        {
            case string text:
                Make((long)text.Length);
                break;
            case IReadOnlyCollection<object?> items:
                MakeItems(items.Count);
                break;
            case IReadOnlyDictionary<string, object?> members:
                MakeItems(members.Count);
                break;
        }

        return value;
    }

    /// <summary>Characters and items of a value.</summary>
    public static long SizeOf(object? value) => value switch
    {
        string text => text.Length,
        IReadOnlyList<object?> items => items.Count + items.Sum(SizeOf),
        IReadOnlyDictionary<string, object?> members => members.Sum(static member => 1 + member.Key.Length + SizeOf(member.Value)),
        _ => 0,
    };

    private void Step(long count)
    {
        _steps += count;
        if (_steps > MaxSteps)
        {
            throw new TemplateException($"the chat template takes more than {MaxSteps} steps");
        }

        if (_steps >= _nextCheck)
        {
            _nextCheck = _steps + CheckInterval;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
