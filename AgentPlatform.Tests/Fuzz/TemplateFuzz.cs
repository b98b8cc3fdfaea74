using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.OnnxChat.Templates;
using AgentPlatform.OnnxChat.Tokens;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Worker.Weights;
using Xunit.Abstractions;

namespace AgentPlatform.Tests.Fuzz;

/// <summary>What comes with a model of strangers, and what its texts are cut into.</summary>
[Trait("Category", FuzzRun.Tier)]
[Collection(FuzzRun.Tier)]
public sealed class TemplateFuzz(ITestOutputHelper output)
{
    private const string Messages =
        """[{"role":"user","content":"Hi"},{"role":"assistant","content":"","tool_calls":[{"id":"c","function":"""
            + """{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"😀"}]""";

    private static readonly string[] _names =
    [
        "messages", "messages[0]", "messages[0].content", "loop", "loop.index", "x", "ns", "ns.a", "bos_token", "m", "message", "true",
        "none", "namespace(a=1)", "m(1)", "m(x)", "dict(a=1)",
    ];
    private static readonly string[] _operators =
    [
        "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or", "if", "is", "else", "|", ".",
    ];
    private static readonly string[] _filters =
    [
        "trim", "length", "upper", "tojson", "tojson(indent=2)", "join(',')", "replace('a', 'aa')", "list", "first", "last", "default('x')",
        "map(attribute='role')", "map('upper')", "selectattr('role')",
        "select('string')", "rejectattr('role', 'equalto', 'user')", "indent(4)", "int", "float", "round(2)", "round(99)", "abs", "items",
        "reverse", "string", "title", "capitalize", "count", "safe",
    ];

    private static readonly string[] _methods =
    [
        "strip()", "split()", "split(',')", "split('', 1)", "rsplit('a', 1)", "splitlines()", "replace('a', 'b', 2)", "items()", "keys()",
        "get('role')", "find('a')", "count('a')", "join(x)", "startswith(('a', 'b'))", "isdigit()", "removeprefix('a')",
    ];

    [Fact]
    public Task A_template_renders_or_says_why_not() => FuzzRun.RunAsync("template", output, random =>
    {
        var source = "{% macro m(a, b=1) %}{{ a }}{% endmacro %}{% set ns = namespace(a=1) %}{% set x = ['a', 1] %}" + Body(random, 4);
        source = random.Next(3) == 0 ? Encoding.UTF8.GetString(random.Damaged(source)) : source;
        using var json = JsonDocument.Parse(Messages);
        KeyValuePair<string, object?>[] variables =
        [
            new("messages", TemplateValue.Of(json.RootElement)), new("add_generation_prompt", true), new("tools", null),
            new("bos_token", "<s>"),
        ];
        try
        {
            var template = ChatTemplate.Parse(source);
            string? first = null;
            var allocated = FuzzRun.AllocationOf(() => first = template.Render(variables, DateTimeOffset.UnixEpoch));
            Assert.True(allocated < 2_000_000_000, $"{allocated} bytes: {source}");
            Assert.Equal(first, template.Render(variables, DateTimeOffset.UnixEpoch));
        }
        catch (Exception e) when (e is TemplateException or TemplateSyntaxException)
        {
            Assert.NotEmpty(e.Message);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"The template is: {source}", e);
        }
    });

    [Fact]
    public async Task Tokens_are_the_text_again_and_marks_in_it_are_none()
    {
        using var files = new RandomChatModel(layers: 1);
        var tokenizer = TokenizerReader.Read(files.File("tokenizer.json"));
        await FuzzRun.RunAsync("tokenizer", output, random =>
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(20)).Select(_ => random.Of(random.Text(), "hello the in", RandomChatModel.EndMark)));

            // What is no UTF-8 cannot come back, and the surface refuses it. The last two are the tokenizer's own marks.
            text = new string([.. text.Where(character => !char.IsSurrogate(character) && character < '\uFDD0')]);
            var tokens = tokenizer.Encode(tokenizer.Protect(text));
            Assert.DoesNotContain(tokens, tokenizer.IsSpecial);
            Assert.Equal(text, Encoding.UTF8.GetString([.. tokens.SelectMany(tokenizer.BytesOf)]));
        });
    }

    [Fact]
    public Task A_checksum_list_names_files_below_it_or_is_refused() => FuzzRun.RunAsync("checksum list", output, random =>
    {
        var digest = Convert.ToHexString(random.Bytes(1).Concat(new byte[32]).Take(32).ToArray());
        var lines = Enumerable.Range(0, random.Next(4)).Select(
            _ =>
                random.Of(digest, digest.ToLowerInvariant(), digest[1..]) + random.Of("  ", " *", " ", "\t")
                    + random.Of("a", "./a", "a/../b", "../a", "/etc/passwd", "a//b", "C:\\a", "~", ".", random.Text()));
        try
        {
            foreach (var file in ChecksumList.Parse(Encoding.UTF8.GetString(random.Damaged(string.Join(random.Of("\n", "\r\n"), lines)))))
            {
                Assert.StartsWith("/cache/model/", Path.GetFullPath(Path.Combine("/cache/model", file.Name)), StringComparison.Ordinal);
                Assert.Equal(64, file.Sha256.Length);
            }
        }
        catch (FormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    [Fact]
    public Task A_resume_state_is_read_or_refused_within_its_length() => FuzzRun.RunAsync("resume state", output, random =>
    {
        try
        {
            var state = random.Bytes(40);
            var choices = ChatResumeState.Read(new PartialAnswer((uint)random.Next(10), state), random.Next(1, 4));
            Assert.True(choices.Sum(choice => choice.Tokens.Count) <= state.Length);
        }
        catch (FormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    private static string Body(Random random, int depth) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(depth > 0 ? 8 : 3) switch
    {
        0 => random.Text(),
        1 or 2 or 3 => $"{{{{ {Expression(random, 3)} }}}}",
        4 => $"{{% if {Expression(random, 2)} %}}{Body(random, depth - 1)}{random.Of("", "{% else %}b", "{% elif x %}c")}{{% endif %}}",
        5 =>
            $"{{%- for {random.Of("message", "a, b", "x")} in {Expression(random, 2)} "
                + $"%}}{Body(random, depth - 1)}{random.Of("", "{% break %}", "{% continue %}")}{{% endfor -%}}",
        6 => $"{{% set {random.Of("x", "ns.a", "x, y")} = {Expression(random, 2)} %}}",
        _ => $"{{% set x %}}{Body(random, depth - 1)}{{% endset %}}",
    }));

    private static string Expression(Random random, int depth) => random.Next(depth > 0 ? 9 : 2) switch
    {
        0 => random.Of(_names),
        1 =>
            random.Of(
                "1", "0", "-1", "9223372036854775807", "1.5", "'a'", "\"é\"", "''", "[]", "{}", "['a', 'b']", "{'a': 1}", "range(5)",
                "range(3, 0, -1)"),
        2 or 3 => $"{Expression(random, depth - 1)} {random.Of(_operators)} {Expression(random, depth - 1)}",
        4 => $"{Expression(random, depth - 1)} | {random.Of(_filters)}",
        5 => $"({Expression(random, depth - 1)}).{random.Of(_methods)}",
        6 =>
            random.Of("not ", "-", "(", "") + Expression(random, depth - 1)
                + random.Of("", ")", "[0]", "[::-1]", "[1:9223372036854775807:9223372036854775807]", "[x]"),
        7 =>
            $"{Expression(random, depth - 1)} is "
                + random.Of("", "not ") + random.Of(
                    "defined", "none", "string", "mapping", "divisibleby 0", "divisibleby(-1)", "eq(x)", "in [1]", "iterable", "odd"),
        _ => $"[{Expression(random, depth - 1)}, {Expression(random, depth - 1)}]",
    };
}
