using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Batching;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Onnx;
using AgentPlatform.Worker.Engines.OnnxChat.Model;
using AgentPlatform.Worker.Engines.OnnxChat.Requests;
using AgentPlatform.Worker.Engines.OnnxChat.Scheduling;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.OnnxChat;

/// <summary>
/// A decoder-only language model on ONNX Runtime, from a folder as Hugging Face Optimum exports it. Requests join and leave a running batch;
/// the same request gives the same answer whatever else is in it.
/// </summary>
internal sealed class OnnxChatEngine(
    ModelFolder folder, IOptions<OnnxOptions> onnx, IOptions<EngineOptions> engine, PreparationPool preparation, BatchingMetrics metrics, ILogger<OnnxChatEngine> logger)
    : IEngine, IDisposable
{
    private const int DefaultSlots = 16;

    private ChatModel? _model;
    private ChatLoop? _loop;

    /// <inheritdoc/>
    public EngineTraits Traits { get; private set; } = new([Operation.Chat], DefaultSlots) { Replayable = true, Continues = true };

    private ChatModel Model => _model ?? throw new InvalidOperationException("The model is not loaded.");

    private ChatLoop Loop => _loop ?? throw new InvalidOperationException("The model is not loaded.");

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<OnnxOptions, OnnxOptionsValidator>(OnnxOptions.Section);
        services.AddSingleton<BatchingMetrics>();
        services.AddSingleton<IEngine, OnnxChatEngine>();
    }

    /// <inheritdoc/>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var path = await folder.GetAsync(cancellationToken);
        _model = await Task.Run(() => ChatModel.Load(path, onnx.Value), cancellationToken);
        _loop = new ChatLoop(_model.Decoder, engine.Value.Slots ?? DefaultSlots, metrics, logger);
        Traits = Traits with { Caveat = _model.Caveat };
    }

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        // A lone sequence and a full batch: the memory of both is there when the first request comes.
        var greeting = new OrderedDictionary<string, object?> { ["role"] = "user", ["content"] = "Hi" };
        var prompt = Model.Template.Encode([greeting], continues: false, DateTimeOffset.UnixEpoch, Model.ContextLength, cancellationToken)
            ?? throw new EngineLoadException("The model's context does not hold a prompt of one word.");
        foreach (var choices in (int[])[1, Loop.Rows])
        {
            var answer = new ChatAnswer(prompt, new ChatSettings { Choices = choices, MaxTokens = 4 }, Model.Tokenizer);
            Loop.Submit(answer);
            try
            {
                await foreach (var piece in answer.Pieces.ReadAllAsync(cancellationToken))
                {
                }
            }
            catch (InferenceException e)
            {
                throw new EngineLoadException($"The model was loaded but cannot be computed: {e.InnerException?.Message ?? e.Message}", e);
            }
            finally
            {
                answer.Leave();
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = await preparation.RunAsync(request.Body.Length, token => ChatCall.Read(request, Model, Loop.Rows, token), cancellationToken);
        var begun = ChatResumeState.Read(request.PartialAnswer, call.Settings.Choices);
        var answer = new ChatAnswer(call.Prompt, call.Settings, Model.Tokenizer, [.. begun.Select(choice => choice.Tokens)]);
        Loop.Submit(answer);
        try
        {
            await foreach (var part in request.Stream ? StreamAsync(answer, begun, cancellationToken) : CompleteAsync(answer, cancellationToken))
            {
                yield return part;
            }
        }
        finally
        {
            answer.Leave();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _loop?.Dispose();

    private static async IAsyncEnumerable<ReplyPart> StreamAsync(
        ChatAnswer answer, IReadOnlyList<PartialChoice> begun, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var parts = new ChatParts();
        var state = new ChatResumeState();
        var roles = 0;
        while (await answer.Pieces.WaitToReadAsync(cancellationToken))
        {
            while (answer.Pieces.TryRead(out var piece))
            {
                // All roles before the first token, but not before there is one (decision 0003).
                for (; roles < begun.Count; roles++)
                {
                    if (!begun[roles].HasBegun)
                    {
                        yield return parts.Role(roles);
                    }
                }

                if (piece.Text.Length > 0 || piece.Logprobs is { Count: > 0 })
                {
                    yield return parts.Token(piece.Choice, piece.Text, piece.Logprobs) with { ResumeState = state.Of(piece) };
                }

                if (piece.FinishReason is { } reason && !begun[piece.Choice].HasEnded)
                {
                    yield return parts.Finish(piece.Choice, reason) with { ResumeState = state.OfEnd(piece.Choice) };
                }
            }
        }

        yield return parts.End(answer.Usage);
    }

    private static async IAsyncEnumerable<ReplyPart> CompleteAsync(ChatAnswer answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var texts = answer.Sequences.Select(_ => new StringBuilder()).ToList();
        var logprobs = answer.Sequences.Select(_ => answer.Settings.Logprobs ? new List<TokenLogprob>() : null).ToList();
        var reasons = new string[texts.Count];
        await foreach (var piece in answer.Pieces.ReadAllAsync(cancellationToken))
        {
            texts[piece.Choice].Append(piece.Text);
            logprobs[piece.Choice]?.AddRange(piece.Logprobs ?? []);
            reasons[piece.Choice] = piece.FinishReason ?? "";
        }

        using var parts = new ChatParts();
        yield return parts.Result(texts.Select((text, choice) => new ChatChoice(text.ToString(), reasons[choice], logprobs[choice])), answer.Usage);
    }
}
