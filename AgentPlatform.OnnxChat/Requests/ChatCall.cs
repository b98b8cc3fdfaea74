using System.Globalization;
using System.Text.Json;
using AgentPlatform.Inference;
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
        var body = new ChatFields(document.RootElement);
        UnsupportedFields.Refuse(document.RootElement, request.Model);

        // Not the clock: the deadline is the one time that a request keeps when another worker runs it again, and must have the same prompt.
        var most = CountedContexts * model.ContextLength;
        var prompt = model.Template.Encode(ChatMessageReader.Read(body, request.Model), Continues(body), now: request.Deadline, most, cancellationToken);
        if (prompt?.Count == 0)
        {
            throw new InferenceException(InferenceError.Invalid("The prompt is empty.", "messages"));
        }

        if (prompt is null || prompt.Count >= model.ContextLength)
        {
            throw new InferenceException(InferenceError.Invalid(
                $"The context length of the model '{request.Model}' is {model.ContextLength} tokens, and the messages take {prompt?.Count.ToString(CultureInfo.InvariantCulture) ?? $"more than {most}"} of them, which leaves no room for an answer. Shorten the messages.",
                "messages", "context_length_exceeded"));
        }

        return new ChatCall(request, prompt, ReadSettings(body, request, model, mostChoices, model.ContextLength - prompt.Count));
    }

    // vLLM's fields, which belong together.
    private static bool Continues(ChatFields body)
    {
        var continues = body.Boolean("continue_final_message") ?? false;
        if (continues && body.Boolean("add_generation_prompt") == true)
        {
            throw new InferenceException(InferenceError.Invalid("'add_generation_prompt' cannot be true when 'continue_final_message' is.", "add_generation_prompt"));
        }

        return continues;
    }

    private static ChatSettings ReadSettings(ChatFields body, InferenceRequest request, ChatModel model, int mostChoices, int room)
    {
        var asked = body.Integer("max_completion_tokens", 1, int.MaxValue) ?? body.Integer("max_tokens", 1, int.MaxValue) ?? model.MaxTokens ?? room;
        var top = (int)(body.Integer("top_logprobs", 0, 20) ?? 0);
        var logprobs = body.Boolean("logprobs") ?? false;
        if (top > 0 && !logprobs)
        {
            throw new InferenceException(InferenceError.Invalid("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs"));
        }

        return new ChatSettings
        {
            Sampling = ReadSampling(body, model),

            // Without a seed each request has one of its own, which is still the same when the request is run again.
            Seed = body.Integer("seed", long.MinValue, long.MaxValue) is { } seed ? (ulong)seed : SeedOf(request.RequestId),
            Choices = (int)(body.Integer("n", 1, mostChoices) ?? 1),
            MaxTokens = (int)Math.Min(asked, room),
            EndTokens = body.Boolean("ignore_eos") == true ? new HashSet<int>() : model.EndTokens,
            Stops = body.Texts("stop"),
            Logprobs = logprobs,
            TopLogprobs = top,
        };
    }

    private static SamplingSettings ReadSampling(ChatFields body, ChatModel model)
    {
        var own = model.Sampling;
        return new SamplingSettings
        {
            Temperature = body.Number("temperature", 0, 2) ?? own.Temperature,
            TopP = body.Number("top_p", 0, 1) ?? own.TopP,

            // vLLM writes -1 for all, llama.cpp 0.
            TopK = (int)Math.Max(body.Integer("top_k", -1, int.MaxValue) ?? own.TopK, 0),
            MinP = body.Number("min_p", 0, 1) ?? own.MinP,
            PresencePenalty = body.Number("presence_penalty", -2, 2) ?? 0,
            FrequencyPenalty = body.Number("frequency_penalty", -2, 2) ?? 0,
            RepetitionPenalty = body.Number("repetition_penalty", 0.01f, 100) ?? own.RepetitionPenalty,
            LogitBias = body.Biases("logit_bias", model.Decoder.Layout.Vocabulary),
        };
    }

    private static ulong SeedOf(Guid requestId)
    {
        Span<byte> bytes = stackalloc byte[16];
        requestId.TryWriteBytes(bytes, bigEndian: true, out _);
        return BitConverter.ToUInt64(bytes) ^ BitConverter.ToUInt64(bytes[8..]);
    }
}
