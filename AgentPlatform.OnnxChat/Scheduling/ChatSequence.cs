using AgentPlatform.Inference.Chat;
using AgentPlatform.OnnxChat.Sampling;
using AgentPlatform.OnnxChat.Tokens;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>One choice of an answer while it is computed: from the model's logits to text.</summary>
/// <remarks>
/// One caller at a time. A choice that another worker began continues from <paramref name="begun"/>: these tokens go through the
/// same steps, but they are not drawn and nothing of them is given, so that what comes after them is what would have come there.
/// </remarks>
/// <param name="answer">The answer.</param>
/// <param name="choice">Its index.</param>
/// <param name="tokenizer">Makes text of tokens.</param>
/// <param name="begun">The tokens that it begins with.</param>
internal sealed class ChatSequence(ChatAnswer answer, int choice, ChatTokenizer tokenizer, IReadOnlyList<int> begun)
{
    private readonly ChatSettings _settings = answer.Settings;
    private readonly TokenSampler _sampler = new(
        answer.Settings.Sampling, new SplitMix64(answer.Settings.Seed).Split(choice), answer.Prompt);
    private readonly TextStream _text = new(tokenizer);
    private readonly StopText _stop = new(answer.Settings.Stops);
    private readonly List<int> _tokens = [];

    // Tokens whose text has not been given, each with where its text begins and ends.
    private readonly Queue<(TokenLogprob Logprob, int Begin, int End)>? _logprobs = answer.Settings.Logprobs ? [] : null;
    private int _made;
    private int _given;
    private int _told = begun.Count;

    /// <summary>The answer that it is a choice of.</summary>
    public ChatAnswer Answer => answer;

    /// <summary>The tokens so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>The token that the model has not seen yet.</summary>
    public int Last => _tokens[^1];

    /// <summary>Chooses the next token and emits the text that is complete.</summary>
    public bool Add(ReadOnlySpan<float> logits, SamplingRoom room)
    {
        var isGiven = _tokens.Count >= begun.Count;
        var token = isGiven ? _sampler.Choose(logits, _tokens.Count, room) : begun[_tokens.Count];
        _sampler.Add(token);
        _tokens.Add(token);
        var isEnd = _settings.EndTokens.Contains(token);
        var text = isEnd ? default : _text.Add(token);
        var begin = _made;
        _made += text.Length;
        if (!isEnd)
        {
            _logprobs?.Enqueue((Logprobs.Of(token, logits, _settings.TopLogprobs, tokenizer.BytesOf, room), begin, _made));
        }

        var piece = _stop.Add(text);
        var reason = isEnd || _stop.IsStopped ? "stop" : _tokens.Count >= _settings.MaxTokens ? "length" : null;
        if (reason is not null && !_stop.IsStopped)
        {
            // Half a character at the end, and what might have become a stop string.
            var rest = _text.End();
            _made += rest.Length;
            piece += _stop.Add(rest);
            piece += _stop.End();
        }

        Give(piece, reason, isGiven);
        return reason is null;
    }

    private void Give(string text, string? reason, bool isGiven)
    {
        _given += text.Length;
        List<TokenLogprob>? logprobs = null;
        if (_logprobs is not null && (text.Length > 0 || reason is not null))
        {
            // A token comes with the last of its text. One that a stop string
            // begins in comes with what is given of it, which is all there will be.
            logprobs = [];
            while (_logprobs.TryPeek(out var next) && (next.End <= _given || (_stop.IsStopped && next.Begin < _given)))
            {
                logprobs.Add(_logprobs.Dequeue().Logprob);
            }
        }

        if (isGiven && (text.Length > 0 || reason is not null))
        {
            answer.Give(new ChatPiece(choice, text, _tokens.GetRange(_told, _tokens.Count - _told), logprobs, reason));
            _told = _tokens.Count;
        }
        else if (reason is not null)
        {
            // Complete already, but for the word of it.
            answer.Give(new ChatPiece(choice, "", [], null, reason));
        }
    }
}
