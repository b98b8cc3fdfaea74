using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>
/// A chat-completions request as an engine reads it: what it asks of the answer, its messages, and the rest as it stands. An engine says
/// what it cannot honour when it reads the request, so that all engines refuse by one rule.
/// </summary>
/// <remarks>
/// Valid as long as the document that it was read from. A field that is null is as if it were not there; of one that occurs twice the
/// last counts.
/// </remarks>
/// <exception cref="InferenceException">400: a field that is asked for has a value that it cannot have; names it.</exception>
public sealed class ChatTurn
{
    private readonly JsonElement _request;

    private ChatTurn(JsonElement request) => (_request, Fields) = (request, new ChatFields(request));

    /// <summary>All fields, by name.</summary>
    public ChatFields Fields { get; }

    /// <summary>The messages.</summary>
    public IEnumerable<ChatMessage> Messages => Fields.Find("messages") is { ValueKind: JsonValueKind.Array } messages
        ? messages.EnumerateArray().Select(static (message, index) => message.ValueKind == JsonValueKind.Object
            ? new ChatMessage(index, message)
            : throw ChatFields.Wrong($"messages[{index}]", "an object"))
        : throw ChatFields.Wrong("messages", "an array of messages");

    /// <summary>Most tokens of a choice; null if the engine may choose.</summary>
    public long? MaxTokens =>
        Fields.WholeNumber("max_completion_tokens", 1, int.MaxValue) ?? Fields.WholeNumber("max_tokens", 1, int.MaxValue);

    /// <summary>What random numbers are to be made from; null if it does not matter.</summary>
    public long? Seed => Fields.WholeNumber("seed", long.MinValue, long.MaxValue);

    /// <summary>Strings before which a choice ends.</summary>
    public IReadOnlyList<string> Stops => Fields.Texts("stop");

    /// <summary>The sampling temperature; null for the model's own.</summary>
    public float? Temperature => Fields.Number("temperature", 0, 2);

    /// <summary>The probability mass that is sampled from; null for the model's own.</summary>
    public float? TopP => Fields.Number("top_p", 0, 1);

    /// <summary>What a token's logit loses once the token has occurred.</summary>
    public float PresencePenalty => Fields.Number("presence_penalty", -2, 2) ?? 0;

    /// <summary>What a token's logit loses each time that the token has occurred.</summary>
    public float FrequencyPenalty => Fields.Number("frequency_penalty", -2, 2) ?? 0;

    /// <summary>How many of the likeliest tokens are to be told at each place; null if no probabilities are wanted.</summary>
    public int? Logprobs
    {
        get
        {
            var top = (int)(Fields.WholeNumber("top_logprobs", 0, 20) ?? 0);
            return Fields.Boolean("logprobs") == true ? top : top == 0 ? null : throw new InferenceException(
                InferenceError.Invalid("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs"));
        }
    }

    /// <summary>The fields as they stand, each name once, without those that are null.</summary>
    public IEnumerable<JsonProperty> Members => _request.LastOfEach().Where(static member => member.Value.ValueKind != JsonValueKind.Null);

    /// <summary>How many choices are wanted, of at most <paramref name="most"/>.</summary>
    public int Choices(int most) => (int)(Fields.WholeNumber("n", 1, most) ?? 1);

    /// <summary>Whether the answer is the same with a field as without it (<see cref="NeutralFields"/>).</summary>
    public bool IsNeutral(JsonProperty member) => NeutralFields.IsNeutral(member.Name, member.Value, _request);

    /// <summary>Reads a request.</summary>
    /// <param name="request">The request, a JSON object.</param>
    /// <param name="refusal">
    /// What the engine cannot honour: gives the sentence that says so to the client, or null for a field that it honours or that is none of
    /// its business. A field that asks for nothing is never refused. Null for an engine that refuses nothing.
    /// </param>
    /// <exception cref="InferenceException">400: it asks for something that the engine cannot honour; names the field.</exception>
    public static ChatTurn Read(JsonElement request, Func<string, string?>? refusal = null)
    {
        var turn = new ChatTurn(request);
        if (refusal is not null)
        {
            foreach (var member in turn.Members)
            {
                if (refusal(member.Name) is { } sentence && !turn.IsNeutral(member))
                {
                    throw Unsupported(member.Name, sentence);
                }
            }
        }

        return turn;
    }

    /// <summary>The error of a request for what an engine cannot do.</summary>
    /// <param name="field">Where the request asks for it.</param>
    /// <param name="sentence">What to tell the client.</param>
    public static InferenceException Unsupported(string field, string sentence) =>
        new(InferenceError.Invalid(sentence, field, "unsupported_parameter"));
}
