namespace AgentPlatform.Api.Replay;

/// <summary>One client's way through a response on record; disposing of it lets go of the response.</summary>
internal sealed class ResponseReader(RecordedResponses responses, RecordedResponse response, ResponseLog log, LogPlace place) : IDisposable
{
    private LogPlace _place = place;
    private bool _isClosed;

    /// <summary>The log that it reads.</summary>
    public ResponseLog Log => log;

    /// <summary>Takes what comes next; see <see cref="ResponseLog.Read"/>.</summary>
    public LogState Read(out ReadOnlyMemory<byte> bytes, out Task more) => log.Read(ref _place, out bytes, out more);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            responses.Leave(response);
        }
    }
}
