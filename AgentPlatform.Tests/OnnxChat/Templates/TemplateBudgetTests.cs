using AgentPlatform.OnnxChat.Templates;
using AgentPlatform.Testing.OnnxChat;

namespace AgentPlatform.Tests.OnnxChat.Templates;

/// <summary>Templates that would end the process, fill its memory or run for hours. Each ends with a sentence.</summary>
public sealed class TemplateBudgetTests
{
    public static TheoryData<string, string> TooDeepToRead => new()
    {
        { "parentheses", $"{{{{ {new string('(', 20_000)}1{new string(')', 20_000)} }}}}" },
        { "lists", $"{{{{ {new string('[', 20_000)}{new string(']', 20_000)} }}}}" },
        { "dictionaries", $"{{{{ {Repeat("{1:", 20_000)}1{new string('}', 20_000)} }}}}" },
        { "not", $"{{{{ {Repeat("not ", 20_000)}1 }}}}" },
        { "signs", $"{{{{ {new string('-', 20_000)}1 }}}}" },
        { "conditions", $"{{{{ {Repeat("1 if 0 else ", 20_000)}1 }}}}" },
        { "subscripts", $"{{{{ {Repeat("a[", 20_000)}1{new string(']', 20_000)} }}}}" },
        { "arguments", $"{{{{ {Repeat("dict(a=", 20_000)}1{new string(')', 20_000)} }}}}" },
        { "filters' arguments", $"{{{{ {Repeat("1|default(", 20_000)}1{new string(')', 20_000)} }}}}" },
        { "tests' arguments", $"{{{{ {Repeat("1 is eq [", 20_000)}1{new string(']', 20_000)} }}}}" },
        { "blocks", Repeat("{% if 1 %}", 20_000) + Repeat("{% endif %}", 20_000) },
        { "loops", Repeat("{% for a in [1] %}", 20_000) + Repeat("{% endfor %}", 20_000) },
        { "length", new string('x', (1 << 20) + 1) },
    };

    public static TheoryData<string, string> TooMuchToRender => new()
    {
        { "a sum of 20,000 terms", $"{{{{ 1{Repeat("+1", 20_000)} }}}}" },
        { "a chain of filters", $"{{{{ ''{Repeat("|trim", 20_000)} }}}}" },
        { "a chain of members", $"{{{{ {{}}{Repeat(".a", 1)}{Repeat(" or 0", 20_000)} }}}}" },
        { "macros that call themselves", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}" },
        {
            "macros that double",
            "{% macro m0() %}x{% endmacro %}"
                + string.Concat(Enumerable.Range(1, 39)
                    .Select(i => $"{{% macro m{i}() %}}{{{{ m{i - 1}() }}}}{{{{ m{i - 1}() }}}}{{% endmacro %}}"))
                + "{{ m39() }}"
        },
        { "loops within loops", "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% "
            + "endfor %}" },
        { "loops that write", "{% for a in range(100000) %}{{ 'x' * 10000 }}{% endfor %}" },
        { "a range", "{{ range(9000000000000000000) }}" },
        { "a range that overflows", "{{ range(9223372036854775806, -9223372036854775807, -1) }}" },
        { "a long text", "{{ 'abcdefgh' * 9000000000000000000 }}" },
        { "texts that double", "{% set n = namespace(t='x') %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}" },
        { "texts that double by ~", "{% set n = namespace(t='x') %}{% for a in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}" },
        { "texts that double by replace", "{% set n = namespace(t='x') %}{% for a in range(99) %}{% set n.t = n.t | replace('x', 'xx') "
            + "%}{% endfor %}" },
        { "texts that double by join", "{% set n = namespace(t='xx') %}{% for a in range(99) %}{% set n.t = n.t | join(n.t) %}{% "
            + "endfor %}" },
        { "texts that double by indent", "{% set n = namespace(t='\n\n\n\n') %}{% for a in range(99) %}{% set n.t = (n.t | indent(64, "
            + "true, true)).replace(' ', '\n') %}{% endfor %}" },
        { "lists that double", "{% set n = namespace(t=[1]) %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}" },
        { "a list of itself twice, printed", "{% set n = namespace(t=[1]) %}{% for a in range(60) %}{% set n.t = [n.t, n.t] %}{% endfor "
            + "%}{{ n.t }}" },
        { "a list of itself twice, as JSON", "{% set n = namespace(t=[1]) %}{% for a in range(60) %}{% set n.t = [n.t, n.t] %}{% endfor "
            + "%}{{ n.t | tojson }}" },
        { "a list of itself twice, compared", "{% set n = namespace(t=[1], u=[1]) %}{% for a in range(60) %}{% set n.t = [n.t, n.t] %}{% "
            + "set n.u = [n.u, n.u] %}{% endfor %}{{ n.t == n.u }}" },
        { "a deep list, printed", Deep + "{{ n.t }}" },
        { "a deep list, as JSON", Deep + "{{ n.t | tojson(indent=16) }}" },
        { "a deep list, compared", Deep + "{% set m = n.t %}" + Deep + "{{ m == n.t }}" },
        { "a deep list, looked through", Deep + "{% set m = n.t %}" + Deep + "{{ m in [n.t] }}" },
        { "a slow search", "{% set t = 'a' * 1000000 %}{% for a in range(100) %}{{ ('a' * 100000 + 'b') in t }}{% endfor %}" },
        { "a slow strip", "{% set t = 'a' * 1000000 %}{{ t.strip('b' * 1000000) }}" },
        { "filters of filters", "{% set t = ['x' * 100000] * 1 if 0 else [('x' * 100000)] %}{% for a in range(10000) %}{% set u = t | "
            + "map('upper') | list %}{% endfor %}" },
        { "characters of a text", "{% for a in range(1000) %}{% for b in 'x' * 100000 %}{% endfor %}{% endfor %}" },
    };

    private const string Deep = "{% set n = namespace(t=[]) %}{% for a in range(20000) %}{% set n.t = [n.t] %}{% endfor %}";

    [Theory]
    [MemberData(nameof(TooDeepToRead))]
    public void Parse_BeyondTheBudget_IsOneSentence(string what, string template)
    {
        var e = Assert.Throws<TemplateSyntaxException>(() => ChatTemplate.Parse(template));
        Assert.True(
            e.Message.Contains(what == "length" ? "1048576 characters" : "more than 100 deep", StringComparison.Ordinal), e.Message);
    }

    [Theory]
    [MemberData(nameof(TooMuchToRender))]
    public void Render_BeyondTheBudget_IsOneSentence(string what, string template)
    {
        var e = Assert.Throws<TemplateException>(() => Render(template));
        Assert.True(
            e.Message.Contains("more than", StringComparison.Ordinal) || e.Message.Contains("at most", StringComparison.Ordinal)
                || what.Contains("terms", StringComparison.Ordinal),
            e.Message);
    }

    [Fact]
    public void Render_OnAStackOfAHundredAndTwentyEightKilobytes_StillEndsWithASentence()
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() => Render($"{{{{ 1{Repeat("+1", 450)} }}}}")), maxStackSize: 128 * 1024);
        thread.Start();
        thread.Join();
        Assert.True(thrown is null or TemplateException, thrown?.ToString());
    }

    [Fact]
    public void Render_ALongConversation_IsWithinTheBudget()
    {
        var messages = Enumerable.Range(0, 5_000).Select(i => (object?)new OrderedDictionary<string, object?>
        {
            ["role"] = i % 2 == 0 ? "user" : "assistant",
            ["content"] = new string('x', 2_000),
        }).ToList();
        var text = ChatTemplate.Parse(RandomChatModel.Template)
            .Render([new("messages", messages), new("add_generation_prompt", true)], DateTimeOffset.UnixEpoch);
        Assert.InRange(text.Length, 10_000_000, 11_000_000);
    }

    [Fact]
    public void Render_Cancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.Throws<OperationCanceledException>(
            () => ChatTemplate.Parse("{% for a in range(9000) %}{{ a }}{% endfor %}").Render([], DateTimeOffset.UnixEpoch, cancel.Token));
    }

    [Fact]
    public void Render_ByManyAtOnce_CountsEachForItself()
    {
        var template = ChatTemplate.Parse("{% macro m(n) %}{% if n > 0 %}{{ m(n - 1) }}{% endif %}x{% endmacro %}{{ m(50) }}");
        Parallel.For(0, 64, _ => Assert.Equal(51, template.Render([], DateTimeOffset.UnixEpoch).Length));
    }

    private static string Render(string template) =>
        ChatTemplate.Parse(template).Render([new("messages", new List<object?>())], DateTimeOffset.UnixEpoch);

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
