using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Tests.Inference.Chat;

public sealed class ChatTurnTests
{
    [Fact]
    public void What_is_asked_of_the_answer_is_read_once()
    {
        var turn = Read("""
            "temperature":0.5,"top_p":0.25,"presence_penalty":-1,"frequency_penalty":2,"seed":-3,"n":2,
            "max_tokens":9,"max_completion_tokens":8,"stop":["a",""],"logprobs":true,"top_logprobs":2
            """);

        Assert.Equal((0.5f, 0.25f, -1f, 2f), (turn.Temperature, turn.TopP, turn.PresencePenalty, turn.FrequencyPenalty));
        Assert.Equal((-3, 2, 8, 2), (turn.Seed, turn.Choices(most: 4), turn.MaxTokens, turn.Logprobs));
        Assert.Equal(["a"], turn.Stops);
    }

    [Fact]
    public void What_is_not_asked_is_the_models_own()
    {
        var turn = Read("\"temperature\":null,\"stop\":null,\"n\":null,\"logprobs\":false");

        Assert.True(turn is { Temperature: null, TopP: null, PresencePenalty: 0, FrequencyPenalty: 0 });
        Assert.True(turn is { Seed: null, MaxTokens: null, Logprobs: null });
        Assert.Empty(turn.Stops);
        Assert.Equal(1, turn.Choices(most: 4));
    }

    [Fact]
    public void A_message_is_its_role_and_the_parts_of_its_content()
    {
        var messages = Read("""
            "messages":[
                {"role":"system","content":"Be brief."},
                {"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url"}]},
                {"role":"assistant","content":null}
            ]
            """).Messages.ToList();

        Assert.Equal(["system", "user", "assistant"], messages.Select(static message => message.Role));
        Assert.Equal(
            [
                ("messages[0].content", "text", "Be brief."),
                ("messages[1].content[0]", "text", "Hi"),
                ("messages[1].content[1]", "image_url", null),
            ],
            messages.SelectMany(static message => message.Content).Select(static part => (part.Place, part.Type, part.Text)));
    }

    [Fact]
    public void A_field_that_the_engine_cannot_honour_is_refused_in_its_words()
    {
        var error = Refused(() => Read("\"tools\":[{}]", static field => field == "tools" ? "No tools here." : null));

        Assert.Equal((400, "tools", "unsupported_parameter", "No tools here."), (error.Status, error.Param, error.Code, error.Message));
    }

    [Theory]
    [MemberData(nameof(NeutralFieldsTests.Neutral), MemberType = typeof(NeutralFieldsTests))]
    public void A_field_that_asks_for_nothing_is_never_refused(string field) =>
        Assert.NotNull(Read(field, static _ => "Nothing is honoured."));

    [Fact]
    public void Of_a_field_that_occurs_twice_the_last_counts()
    {
        var turn = Read("\"seed\":1,\"seed\":2,\"user\":\"a\",\"user\":null");

        Assert.Equal(2, turn.Seed);
        Assert.Equal(["model", "seed"], turn.Members.Select(static member => member.Name));
    }

    [Theory]
    [InlineData("\"n\":5", "n")]
    [InlineData("\"n\":1.5", "n")]
    [InlineData("\"stop\":[1]", "stop")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"messages\":7", "messages")]
    [InlineData("\"messages\":[7]", "messages[0]")]
    public void A_value_that_cannot_be_is_refused_by_name(string field, string param)
    {
        var turn = Read(field);
        var error = Refused(() => _ = (turn.Choices(most: 4), turn.Stops, turn.Temperature, field[1] == 'm' ? turn.Messages.Count() : 0));

        Assert.Equal((400, param, "invalid_value"), (error.Status, error.Param, error.Code));
    }

    private static InferenceError Refused(Action read) => Assert.Throws<InferenceException>(read).Error;

    private static ChatTurn Read(string fields, Func<string, string?>? refusal = null)
    {
        using var document = JsonDocument.Parse($"{{\"model\":\"m\",{fields}}}");
        return ChatTurn.Read(document.RootElement.Clone(), refusal);
    }
}
