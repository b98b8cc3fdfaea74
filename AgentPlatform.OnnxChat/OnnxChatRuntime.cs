using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Requests;
using AgentPlatform.OnnxChat.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.OnnxChat;

/// <summary>
/// A decoder-only language model on ONNX Runtime, from a folder as Hugging Face Optimum exports it. Requests join and leave a running
/// batch; the same request gives the same answer whatever else is in it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class OnnxChatRuntime : IDisposable
{
    private readonly ChatModel _model;
    private readonly ChatLoop _loop;

    private OnnxChatRuntime(ChatModel model, ChatLoop loop) => (_model, _loop) = (model, loop);

    /// <summary>What a user should know before relying on the model's answers; null if nothing.</summary>
    public string? Caveat => _model.Caveat;

    /// <summary>Reads the model.</summary>
    /// <param name="folder">Where its files are.</param>
    /// <param name="open">Opens its graph where it is to be computed.</param>
    /// <param name="rows">Most choices that are computed at once; further ones wait, and a request with more is refused.</param>
    /// <param name="ran">Told of each run of the graph how many choices it computed; called by the thread that computes.</param>
    /// <param name="logger">Told of runs that fail.</param>
    /// <exception cref="InvalidDataException">A file is missing, wrong or of an unsupported kind; the message says which.</exception>
    public static OnnxChatRuntime Load(string folder, Func<string, InferenceSession> open, int rows, Action<int> ran, ILogger logger)
    {
        var model = ChatModel.Load(folder, open);
        return new OnnxChatRuntime(model, new ChatLoop(model.Decoder, rows, ran, logger));
    }

    /// <summary>Computes a lone choice and a full batch: the memory of both is there when the first request comes.</summary>
    /// <exception cref="InvalidDataException">The model cannot be computed.</exception>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        var greeting = new OrderedDictionary<string, object?> { ["role"] = "user", ["content"] = "Hi" };
        var prompt = _model.Template.Encode([greeting], continues: false, DateTimeOffset.UnixEpoch, _model.ContextLength, cancellationToken)
            ?? throw new InvalidDataException("The model's context does not hold a prompt of one word.");
        foreach (var choices in (int[])[1, _loop.Rows])
        {
            var answer = new ChatAnswer(prompt, new ChatSettings { Choices = choices, MaxTokens = 4 }, _model.Tokenizer);
            _loop.Submit(answer);
            try
            {
                await foreach (var piece in answer.Pieces.ReadAllAsync(cancellationToken))
                {
                }
            }
            catch (InferenceException e)
            {
                throw new InvalidDataException($"The model was loaded but cannot be computed: {e.InnerException?.Message ?? e.Message}", e);
            }
            finally
            {
                answer.Leave();
            }
        }
    }

    /// <summary>Reads a request and makes its prompt, on the caller's thread. The longer the request, the longer that takes.</summary>
    /// <param name="request">A chat-completions request that the HTTP surface has checked.</param>
    /// <param name="cancellationToken">Ends it at any time.</param>
    /// <exception cref="InferenceException">The model cannot do what it asks; names the field.</exception>
    public ChatCall Read(InferenceRequest request, CancellationToken cancellationToken) =>
        ChatCall.Read(request, _model, _loop.Rows, cancellationToken);

    /// <summary>Answers a request, from where its partial answer ends.</summary>
    public IAsyncEnumerable<ReplyPart> RunAsync(ChatCall call, CancellationToken cancellationToken) =>
        call.Request.Stream ? StreamAsync(call, cancellationToken) : CompleteAsync(call, cancellationToken);

    /// <summary>Ends what is computed; answers that are not complete fail.</summary>
    public void Dispose() => _loop.Dispose();

    private async IAsyncEnumerable<ReplyPart> StreamAsync(ChatCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var begun = ChatResumeState.Read(call.Request.PartialAnswer, call.Settings.Choices);
        var answer = Submit(call, begun);
        try
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
        finally
        {
            answer.Leave();
        }
    }

    private async IAsyncEnumerable<ReplyPart> CompleteAsync(ChatCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var answer = Submit(call, ChatResumeState.Read(call.Request.PartialAnswer, call.Settings.Choices));
        try
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
            yield return parts.Result(
                texts.Select((text, choice) => new ChatChoice(text.ToString(), reasons[choice], logprobs[choice])), answer.Usage);
        }
        finally
        {
            answer.Leave();
        }
    }

    private ChatAnswer Submit(ChatCall call, IReadOnlyList<PartialChoice> begun)
    {
        var answer = new ChatAnswer(call.Prompt, call.Settings, _model.Tokenizer, [.. begun.Select(choice => choice.Tokens)]);
        _loop.Submit(answer);
        return answer;
    }
}
