using System.IO.Pipelines;
using AgentPlatform.Api.Connections;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Replay;

/// <summary>The response of a request that no connection owns: what is written to it goes on record.</summary>
/// <remarks>For one run, like every response.</remarks>
internal sealed class ResponseRecorder(
    RecordedResponses responses, RecordedResponse recorded, bool isResumable, IOptions<ReplayOptions> options) : PipeWriter,
        IHttpResponseFeature, IHttpResponseBodyFeature, ITruncationFeature
{
    private readonly ResponseLog _log = recorded.Log ?? throw new InvalidOperationException("The response is over.");
    private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _completed = new();
    private bool _isStream;
    private bool _isTruncated;

    /// <summary>Whether the events of a stream are to carry ids.</summary>
    public bool IsResumable => isResumable;

    /// <inheritdoc/>
    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    /// <inheritdoc/>
    public string? ReasonPhrase { get; set; }

    /// <inheritdoc/>
    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    /// <inheritdoc/>
    public bool HasStarted { get; private set; }

    /// <inheritdoc/>
    public PipeWriter Writer => this;

    /// <inheritdoc/>
    public Stream Stream => field ??= AsStream(leaveOpen: true);

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException("A response on record has its own body.");
    }

    /// <summary>
    /// The response is a stream, until <see cref="EndStream"/>: a resumable one goes on without its client for a while, and a flush fails
    /// where it outgrows what can be kept.
    /// </summary>
    public void BeginStream()
    {
        _isStream = true;
        if (isResumable && recorded.RunsAlone == TimeSpan.Zero)
        {
            responses.LetRunAlone(recorded, options.Value.ResumeWindow);
        }
    }

    /// <summary>What is written from now on is the end of the stream, be it an error, and is kept in any case.</summary>
    public void EndStream() => _isStream = false;

    /// <inheritdoc/>
    public void Truncate() => _isTruncated = true;

    /// <summary>Ends the response and what was registered with it.</summary>
    /// <param name="isBroken">Whether something of it is missing, so that it cannot be given to anybody again.</param>
    public async Task EndAsync(bool isBroken)
    {
        await StartAsync();
        if (isBroken)
        {
            responses.Forget(recorded);
        }

        responses.Finish(recorded);
        _log.Complete(isBroken || _isTruncated);
        while (_completed.TryPop(out var completed))
        {
            await completed.Callback(completed.State);
        }
    }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
        {
            return;
        }

        HasStarted = true;
        while (_starting.TryPop(out var starting))
        {
            await starting.Callback(starting.State);
        }

        if (StatusCode is < 200 or > 299)
        {
            // Nothing was answered. The next request with the key is a new one, as soon as a client can know of this one's failure.
            responses.Forget(recorded);
        }

        _log.Start(StatusCode, Headers);
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _log.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _log.GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes) => _log.Advance(bytes);

    /// <inheritdoc/>
    /// <exception cref="InferenceException">The response is a stream and too large to be kept. </exception>
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await StartAsync(cancellationToken);
        _log.Publish();
        if (_isStream)
        {
            responses.RequireRoom(_log.Length);
        }

        return default;
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        // No flush ever waits.
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _log.Publish();

    Task IHttpResponseBodyFeature.CompleteAsync() => StartAsync();

    void IHttpResponseBodyFeature.DisableBuffering()
    {
    }

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    void IHttpResponseFeature.OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    void IHttpResponseFeature.OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));
}
