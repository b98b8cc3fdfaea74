using AgentPlatform.Inference;

namespace AgentPlatform.Api.Replay;

/// <summary>
/// One response on record: made once, by a run of the request that no connection owns, and read by every client that asks for it.
/// </summary>
/// <remarks>State of <see cref="RecordedResponses"/>, which guards it, but for the log and the token.</remarks>
// The source has neither a timer nor a wait handle: there is nothing to dispose of, and it may be cancelled late.
#pragma warning disable CA1001
internal sealed class RecordedResponse
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _abandoned = new();

    /// <summary>The names under which clients find it.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Digest of the request; the same name with another request is a mistake.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>How long it is kept once it is complete.</summary>
    public required TimeSpan KeptFor { get; init; }

    /// <summary>What clients read; null once it is too much to be kept.</summary>
    public ResponseLog? Log { get; set; }

    /// <summary>Cancelled when nobody may come back for it any more.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>How long the run goes on without a reader; infinite where its deadline decides.</summary>
    public TimeSpan RunsAlone { get; set; }

    /// <summary>Clients that read it now.</summary>
    public int Readers { get; set; }

    /// <summary>Bytes of memory that it is charged with.</summary>
    public long Charged { get; set; }

    /// <summary>Whether the response is complete, or failed.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Whether no name leads to it any more.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>When <see cref="Timer"/> is to act: to abandon the run, or to forget the response.</summary>
    public TimeLimit Due { get; set; }

    /// <summary>Fires at <see cref="Due"/>.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>Its place among the finished ones, oldest first.</summary>
    public LinkedListNode<RecordedResponse>? Finished { get; set; }

    /// <summary>Ends the run.</summary>
    public void Abandon() => _abandoned.Cancel();
}
