using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Engines.Servers;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>What the pieces of one answer are together.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class TritonAnswer
{
    private readonly StringBuilder _text = new();
    private string? _finishReason;
    private long? _inputTokens;
    private long? _outputTokens;

    public string Text => _text.ToString();

    /// <summary>Why it ended; <c>stop</c> if the server did not say.</summary>
    public string FinishReason => _finishReason ?? "stop";

    /// <summary>Null if the server did not count.</summary>
    public TokenUsage? Usage => _inputTokens is { } input && _outputTokens is { } output ? new TokenUsage(input, output) : null;

    /// <summary>Whether a piece with text has come.</summary>
    public bool HasText => _text.Length > 0;

    /// <exception cref="InferenceException">502: it does not end.</exception>
    public void Add(in TritonPiece piece)
    {
        AnswerSize.RequireFit(_text.Length + piece.Text.Length);
        _text.Append(piece.Text);
        _finishReason = piece.FinishReason ?? _finishReason;
        _inputTokens = piece.InputTokens ?? _inputTokens;
        _outputTokens = piece.OutputTokens is { } tokens ? (_outputTokens ?? 0) + tokens : _outputTokens;
    }
}
