using System.Text.Json;
using AgentPlatform.OnnxChat.Templates;

namespace AgentPlatform.Tests.OnnxChat.Templates;

public sealed class ChatTemplateTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ 1 / 4 }} {{ 2 ** 3 }} {{ 4 / 2 }}", "7 3 -4 1 0.25 8 2.0")]
    [InlineData("{{ 'a' ~ 1 ~ none ~ true }}", "a1NoneTrue")]
    [InlineData("{{ 'a' + \"b\" 'c' }}", "abc")]
    [InlineData("{{ 1 < 2 and not 2 < 1 or missing.x }}", "True")]
    [InlineData("{{ 'x' if 0 else 'y' }}{{ 'x' if false }}", "y")]
    [InlineData("{{ 0 < 1 < 2 }} {{ 2 in [1, 2] }} {{ 'b' not in 'abc' }} {{ 'k' in {'k': 1} }}", "True True False True")]
    [InlineData(
        "{{ missing is defined }} {{ missing is not defined }} {{ none is none }} {{ 'a' is string }} {{ 3 is divisibleby 3 }}",
        "False True True True True")]
    [InlineData(
        "{{ {'a': 1} is mapping }} {{ [1] is iterable }} {{ 'a' is mapping }} {{ 1 is number }} {{ true is boolean }}",
        "True True False True True")]
    [InlineData("{{ 'abcdef'[1:3] }} {{ 'abcdef'[-2:] }} {{ 'abc'[::-1] }} {{ [1, 2, 3][:-1] }} {{ [1, 2, 3][-1] }}", "bc ef cba [1, 2] 3")]
    [InlineData(
        "{{ ' a '.strip() }}|{{ 'xay'.strip('xy') }}|{{ 'a,b,c'.split(',')[1] }}|{{ 'a,b,c'.split(',', 1) }}|{{ 'a b'.split() | last }}",
        "a|a|b|['a', 'b,c']|b")]
    [InlineData(
        "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'aXa'.replace('a', 'b', 1) }} {{ 'ab'.upper() }} {{ "
            + "'x'.join(['a', 'b']) }}",
        "True True bXa AB axb")]
    [InlineData(
        "{{ '  a ' | trim }}|{{ missing | default('d') }}|{{ '' | default('d', true) }}|{{ [1, 2] | join('-') }}|{{ 'abc' | length }}|{{ "
            + "'aB' | upper | lower }}",
        "a|d|d|1-2|3|ab")]
    [InlineData("{{ [1, 2, 3] | first }}{{ [1, 2, 3] | last }}{{ '4' | int + 1 }}{{ 3 | string + 'x' }}", "1353x")]
    [InlineData(
        "{{ [{'r': 'a'}, {'r': 'b'}] | map(attribute='r') | list }} {{ [{'r': 'a'}, {'r': 'b'}] | selectattr('r', 'equalto', 'b') | list "
            + "| length }}",
        "['a', 'b'] 1")]
    [InlineData("{{ {'a': [1, 2.5, 'ü\"'], 'b': none, 'c': true} | tojson }}", "{\"a\": [1, 2.5, \"ü\\\"\"], \"b\": null, \"c\": true}")]
    [InlineData("{{ {'a': [1]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ]\n}")]
    [InlineData("{{ '😀' | tojson }}", "\"😀\"")]
    [InlineData("{% for i in range(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %}", "0,1,2")]
    [InlineData("{% for i in range(5) if i % 2 %}{{ loop.index0 }}{{ i }}{{ loop.first }} {% else %}none{% endfor %}", "01True 13False ")]
    [InlineData("{% for i in [] %}x{% else %}none{% endfor %}", "none")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2")]
    [InlineData("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "02")]
    [InlineData("{% set x = 1 %}{% for i in range(2) %}{% set x = 2 %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in range(2) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "2")]
    [InlineData("{% set a, b = [1, 2] %}{{ b }}{{ a }}{% set c %}<{{ a }}>{% endset %}{{ c }}", "21<1>")]
    [InlineData(
        "{% macro bold(text, mark='*') %}{{ mark }}{{ text }}{{ mark }}{% endmacro %}{{ bold('a') }}{{ bold('b', mark='_') }}", "*a*_b_")]
    [InlineData("{% generation %}a{% endgeneration %}{# a comment #}b", "ab")]
    [InlineData("{{ {'a': {'b': 'deep'}}.a['b'] }}{{ {'a': 1}.get('z', 'no') }}", "deepno")]
    [InlineData("{{ '}}' }}{{ {'a': {}} | length }}", "}}1")]
    [InlineData("{{ strftime_now('%d %B %Y, %-d %b %y %H:%M %A %j 100%%') }}", "05 March 2026, 5 Mar 26 07:08 Thursday 064 100%")]
    public void Render_AnExpressionOrStatement_GivesWhatJinjaWould(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("a\n{% if true %}\nb\n{% endif %}\nc", "a\nb\nc")]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a \n {%- if true -%} \n b \n {%- endif -%} \n c", "abc")]
    [InlineData("  {{ 1 }}\n  {{- 2 }} {{ 3 -}}  \n x", "  12 3x")]
    [InlineData("a {# note #}\nb\n  {# note #}\nc", "a b\nc")]
    [InlineData("x  {%+ if true %}y{% endif +%}\nz", "x  y\nz")]
    [InlineData("a\r\n{% if true %}\r\nb{% endif %}", "a\nb")]
    public void Render_WhiteSpaceAroundTags_IsKeptAsHuggingFacesSettingsKeepIt(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("{{ x | frobnicate }}", "filter 'frobnicate'")]
    [InlineData("{{ x is frobnicated }}", "test 'frobnicated'")]
    [InlineData("{{ frobnicate(x) }}", "function 'frobnicate'")]
    [InlineData("{{ x.frobnicate() }}", "method 'frobnicate'")]
    [InlineData("line\n{% frobnicate x %}", "statement 'frobnicate' is not known (line 2)")]
    [InlineData("{% if x %}", "'endif' is missing")]
    [InlineData("{% for x in y %}{% endif %}", "'endfor'")]
    [InlineData("{% endfor %}", "'endfor'")]
    [InlineData("{{ x", "'}}'")]
    [InlineData("{{ 'x }}", "string")]
    [InlineData("{{ x } }}", "'}}'")]
    [InlineData("{# x", "comment")]
    [InlineData("{{ }}", "expression")]
    [InlineData("{{ a b }}", "'b'")]
    [InlineData("{% set a.b.c = 1 %}", "'='")]
    public void Parse_WhatIsNotKnownOrNotWellFormed_IsNamed(string template, string named) =>
        Assert.Contains(
            named, Assert.Throws<TemplateSyntaxException>(() => ChatTemplate.Parse(template)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{{ raise_exception('Roles must alternate.') }}", "Roles must alternate.")]
    [InlineData("{{ missing.x }}", "'missing' is undefined")]
    [InlineData("{{ 1 + 'a' }}", "'+'")]
    [InlineData("{{ none.strip() }}", "'strip'")]
    [InlineData("{{ strftime_now('%Q') }}", "'%Q'")]
    [InlineData("{{ range(1000000) }}", "range")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "call themselves without an end")]
    public void Render_WhatCannotBe_SaysWhy(string template, string said) =>
        Assert.Contains(said, Assert.Throws<TemplateException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Fact]
    public void Render_AConversation_FollowsTheTemplate()
    {
        const string template = """
            {%- set ns = namespace(system='') %}
            {%- if messages[0]['role'] == 'system' %}
                {%- set ns.system = messages[0].content | trim %}
                {%- set messages = messages[1:] %}
            {%- endif %}
            {%- for message in messages %}
                {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
                    {{- raise_exception('Roles must alternate user and assistant.') }}
                {%- endif %}
                {%- if loop.first and ns.system %}
                    {{- '[SYS]' + ns.system + '[/SYS]' }}
                {%- endif %}
                {{- '[' ~ message.role | upper ~ ']' + message.content }}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '[ASSISTANT]' }}
            {%- endif %}
            """;
        Assert.Equal(
            "[SYS]Be brief.[/SYS][USER]Hi[ASSISTANT]Hello[USER]Bye[ASSISTANT]",
            Render(
                template,
                """[{"role":"system","content":" Be brief. "},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},"""
                    + """{"role":"user","content":"Bye"}]"""));
        Assert.Contains(
            "alternate", Assert.Throws<TemplateException>(() => Render(template, """[{"role":"assistant","content":"Hi"}]""")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Render_ALoopThatWasCancelled_Ends() => Assert.Throws<OperationCanceledException>(() =>
        ChatTemplate.Parse("{% for i in range(100000) %}x{% endfor %}")
            .Render([], DateTimeOffset.UnixEpoch, new CancellationToken(canceled: true)));

    private static string Render(string template, string messages = "[]")
    {
        using var json = JsonDocument.Parse(messages);
        return ChatTemplate.Parse(template)
            .Render(
                [new("messages", TemplateValue.Of(json.RootElement)), new("add_generation_prompt", true)],
                new DateTimeOffset(2026, 3, 5, 7, 8, 9, TimeSpan.Zero));
    }
}
