using System.Runtime.CompilerServices;
using System.Text.Json;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Messaging.Replies;

/// <summary>
/// The answer to one request as its gateway puts it together: owns the order of the parts, whatever the workers send. It takes
/// only the next part of the newest attempt; late frames of an older attempt, duplicates and the parts that a second attempt
/// repeats are dropped, and a gap fails the request instead of passing for a complete answer.
/// </summary>
/// <remarks>
/// <see cref="Accept"/> is called by one thread at a time and never waits; <see cref="ReadAsync"/> has one reader. A reader that
/// falls behind by more than the capacity fails its own request and holds up nobody else's.
/// </remarks>
public sealed class ReplyAssembly
{
    private readonly PartQueue _parts;
    private ushort _attempt;
    private uint _next;
    private uint _delivered;
    private bool _ended;

    /// <param name="capacity">How many parts may wait for the reader.</param>
    public ReplyAssembly(int capacity) => _parts = new PartQueue(capacity);

    /// <summary>Takes a frame that was addressed to this request; copies what it keeps.</summary>
    public void Accept(in Frame frame)
    {
        if (_ended || frame.Attempt < _attempt)
        {
            return;
        }

        if (frame.Attempt > _attempt)
        {
            (_attempt, _next) = (frame.Attempt, 0);
        }

        if (frame.Offset < _next)
        {
            return;
        }

        if (frame.Offset > _next)
        {
            Fail(InferenceError.EngineFailed("A part of the answer was lost on its way from the worker."));
            return;
        }

        _next++;
        if (frame.Kind == ReplyKind.Error)
        {
            // Whatever was delivered before, an error is news: a repeated attempt may fail where the first one went on.
            Fail(ParseError(frame.Payload));
        }
        else if (frame.Offset < _delivered)
        {
            if (frame.Kind == ReplyKind.Started && _delivered > 1 && !StartedNote.Parse(frame.Payload).Replayable)
            {
                Fail(InferenceError.EngineFailed("The worker was lost after a part of the answer was sent, and its engine cannot repeat the answer exactly."));
            }
        }
        else
        {
            Deliver(frame);
        }
    }

    /// <summary>Ends the answer with <paramref name="error"/>, unless it has ended.</summary>
    public void Fail(InferenceError error)
    {
        _ended = true;
        _parts.Complete(new InferenceException(error));
    }

    /// <summary>The parts in order; ends after the last one.</summary>
    /// <exception cref="InferenceException">The request failed; the parts before the failure have been given.</exception>
    public async IAsyncEnumerable<ReplyPart> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var cancelled = cancellationToken.UnsafeRegister(
            static (parts, token) => ((PartQueue)parts!).Complete(new OperationCanceledException(token)), _parts);
        try
        {
            do
            {
                while (_parts.TryRead(out var part))
                {
                    yield return part;
                }
            }
            while (await _parts.WaitToReadAsync());
        }
        finally
        {
            _parts.Close();
        }
    }

    private void Deliver(in Frame frame)
    {
        if (!_parts.TryWrite(frame.Kind, frame.Payload.Span))
        {
            Fail(new InferenceError(503, "server_error", "The client reads its answer more slowly than it is made.", "client_too_slow"));
            return;
        }

        _delivered++;
        if (frame.Kind is ReplyKind.Result or ReplyKind.End)
        {
            _ended = true;
            _parts.Complete();
        }
    }

    private static InferenceError ParseError(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload.Span, ContractsJsonContext.Default.InferenceError)
                ?? InferenceError.EngineFailed("The worker failed without saying why.");
        }
        catch (JsonException)
        {
            return InferenceError.EngineFailed("The worker failed and its reason could not be read.");
        }
    }
}
