using System.Threading.Channels;
using AgentPlatform.Inference.Chat;
using AgentPlatform.OnnxChat.Tokens;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>An answer on its way from the loop that computes it to the request that reads it.</summary>
/// <remarks>
/// The loop gives, and never waits for the reader: what a slow reader has not taken waits here, and there is no more of it than the
/// answer has tokens. One reader.
/// </remarks>
internal sealed class ChatAnswer
{
    private readonly Channel<ChatPiece> _pieces = Channel.CreateUnbounded<ChatPiece>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private int _running;
    private volatile bool _isOver;

    /// <param name="prompt">Tokens of the prompt; at least one.</param>
    /// <param name="settings">What is asked.</param>
    /// <param name="tokenizer">Makes text of tokens.</param>
    /// <param name="begun">For each choice the tokens that another worker made before; null for a new answer.</param>
    public ChatAnswer(
        IReadOnlyList<int> prompt, ChatSettings settings, ChatTokenizer tokenizer, IReadOnlyList<IReadOnlyList<int>>? begun = null)
    {
        (Prompt, Settings, _running) = (prompt, settings, settings.Choices);
        Sequences = [.. Enumerable.Range(0, settings.Choices).Select(choice =>
            new ChatSequence(this, choice, tokenizer, begun?[choice] ?? []))];
    }

    public IReadOnlyList<int> Prompt { get; }

    public ChatSettings Settings { get; }

    public IReadOnlyList<ChatSequence> Sequences { get; }

    /// <summary>What has come; ends with the answer, or fails with it.</summary>
    public ChannelReader<ChatPiece> Pieces => _pieces.Reader;

    /// <summary>Whether nothing more is to be computed: it is complete, has failed, or has no reader.</summary>
    public bool IsOver => _isOver;

    /// <summary>How many tokens it took; final when the pieces have ended.</summary>
    public TokenUsage Usage => new(Prompt.Count, Sequences.Sum(sequence => (long)sequence.Tokens.Count));

    /// <summary>The reader left; what is computed for it ends at the next step.</summary>
    public void Leave() => _isOver = true;

    public void Give(in ChatPiece piece)
    {
        _pieces.Writer.TryWrite(piece);
        if (piece.FinishReason is not null && --_running == 0)
        {
            _isOver = true;
            _pieces.Writer.TryComplete();
        }
    }

    /// <summary>Ends it with an error.</summary>
    public void Fail(Exception e)
    {
        _isOver = true;
        _pieces.Writer.TryComplete(e);
    }
}
