using System.Globalization;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Sampling;
using AgentPlatform.OnnxChat.Scheduling;

namespace AgentPlatform.OnnxChat.Requests;

/// <summary>A chat-completions request that has been read and made into tokens.</summary>
public sealed class ChatCall
{
    // Up to here a prompt that is too long is counted, so that its client knows by how much.
    private const int CountedContexts = 2;

    private ChatCall(InferenceRequest request, IReadOnlyList<int> prompt, ChatSettings settings) =>
        (Request, Prompt, Settings) = (request, prompt, settings);

    /// <summary>The request.</summary>
    internal InferenceRequest Request { get; }

    /// <summary>The prompt's tokens.</summary>
    internal IReadOnlyList<int> Prompt { get; }

    /// <summary>What is asked of the answer.</summary>
    internal ChatSettings Settings { get; }

    /// <summary>Reads a request.</summary>
    /// <param name="request">It.</param>
    /// <param name="model">Whose template, tokenizer and settings it is read with.</param>
    /// <param name="mostChoices">Highest <c>n</c>.</param>
    /// <param name="cancellationToken">Ends it at any time.</param>
    /// <exception cref="InferenceException">400: the engine cannot do what it asks; names the field.</exception>
    internal static ChatCall Read(InferenceRequest request, ChatModel model, int mostChoices, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(request.Body, JsonLimits.Document);
        var turn = ChatTurn.Read(document.RootElement, field => UnsupportedFields.Refusal(field, request.Model));

        // Not the clock: the deadline is the one time that a request keeps
        // when another worker runs it again, and must have the same prompt.
        var most = CountedContexts * model.ContextLength;
        var messages = ChatMessageReader.Read(turn, request.Model);
        var prompt = model.Template.Encode(messages, Continues(turn.Fields), now: request.Deadline, most, cancellationToken);
        if (prompt?.Count == 0)
        {
            throw new InferenceException(InferenceError.Invalid("The prompt is empty.", "messages"));
        }

        if (prompt is null || prompt.Count >= model.ContextLength)
        {
            throw new InferenceException(InferenceError.Invalid(
                $"The context length of the model '{request.Model}' is {model.ContextLength} tokens, and the messages take "
                + $"{prompt?.Count.ToString(CultureInfo.InvariantCulture) ?? $"more than {most}"} of them, which leaves no room for an "
                + "answer. Shorten the messages.",
                "messages", "context_length_exceeded"));
        }

        return new ChatCall(request, prompt, ReadSettings(turn, request, model, mostChoices, model.ContextLength - prompt.Count));
    }

    // vLLM's fields, which belong together.
    private static bool Continues(ChatFields body)
    {
        var continues = body.Boolean("continue_final_message") ?? false;
        if (continues && body.Boolean("add_generation_prompt") == true)
        {
            throw new InferenceException(InferenceError.Invalid(
                "'add_generation_prompt' cannot be true when 'continue_final_message' is.", "add_generation_prompt"));
        }

        return continues;
    }

    private static ChatSettings ReadSettings(ChatTurn turn, InferenceRequest request, ChatModel model, int mostChoices, int room)
    {
        var logprobs = turn.Logprobs;
        return new ChatSettings
        {
            Sampling = ReadSampling(turn, model),

            // Without a seed each request has one of its own, which is still the same when the request is run again.
            Seed = turn.Seed is { } seed ? (ulong)seed : SeedOf(request.RequestId),
            Choices = turn.Choices(mostChoices),
            MaxTokens = (int)Math.Min(turn.MaxTokens ?? model.MaxTokens ?? room, room),
            EndTokens = turn.Fields.Boolean("ignore_eos") == true ? new HashSet<int>() : model.EndTokens,
            Stops = turn.Stops,
            Logprobs = logprobs is not null,
            TopLogprobs = logprobs ?? 0,
        };
    }

    private static SamplingSettings ReadSampling(ChatTurn turn, ChatModel model)
    {
        var own = model.Sampling;
        return new SamplingSettings
        {
            Temperature = turn.Temperature ?? own.Temperature,
            TopP = turn.TopP ?? own.TopP,

            // vLLM writes -1 for all, llama.cpp 0.
            TopK = (int)Math.Max(turn.Fields.WholeNumber("top_k", -1, int.MaxValue) ?? own.TopK, 0),
            MinP = turn.Fields.Number("min_p", 0, 1) ?? own.MinP,
            PresencePenalty = turn.PresencePenalty,
            FrequencyPenalty = turn.FrequencyPenalty,
            RepetitionPenalty = turn.Fields.Number("repetition_penalty", 0.01f, 100) ?? own.RepetitionPenalty,
            LogitBias = Biases(turn.Fields, model.Decoder.Layout.Vocabulary),
        };
    }

    /// <summary>What is added to the logits of tokens: <c>{"50256":-100}</c></summary>
    private static SortedDictionary<int, float> Biases(ChatFields fields, int vocabulary)
    {
        const string name = "logit_bias";
        var biases = new SortedDictionary<int, float>();
        if (fields.Find(name) is not { } value)
        {
            return biases;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw ChatFields.Wrong(name, "an object");
        }

        foreach (var member in value.EnumerateObject())
        {
            if (!int.TryParse(member.Name, CultureInfo.InvariantCulture, out var token) || token < 0 || token >= vocabulary)
            {
                throw ChatFields.Wrong(
                    name, $"an object whose members are named by tokens, from 0 to {vocabulary - 1}; '{member.Name}' is none");
            }

            biases[token] = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetSingle(out var bias)
                && Math.Abs(bias) <= 100
                ? bias : throw ChatFields.Wrong(name, "an object whose values are numbers from -100 to 100");
        }

        return biases;
    }

    private static ulong SeedOf(Guid requestId)
    {
        Span<byte> bytes = stackalloc byte[16];
        requestId.TryWriteBytes(bytes, bigEndian: true, out _);
        return BitConverter.ToUInt64(bytes) ^ BitConverter.ToUInt64(bytes[8..]);
    }
}
