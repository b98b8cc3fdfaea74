namespace AgentPlatform.Worker.Engines.Servers;

/// <summary>
/// Sends a request to a model's server again where nothing of an answer has come: for some seconds while
/// there is no connection, since a server that restarts is soon back, and once at once if the server hung
/// up, since it may just have closed a connection that it had kept. A model computes and does nothing
/// else, so that a request may be repeated. An answer, whatever its status, is the caller's to judge.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ModelServerRetry(TimeProvider time) : DelegatingHandler
{
    private static readonly TimeSpan[] _pauses = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (pauses, hungUp) = (0, false);
        while (true)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError && pauses < _pauses.Length)
            {
                await Task.Delay(_pauses[pauses++], time, cancellationToken);
            }
            catch (HttpRequestException e) when (!hungUp && (e.HttpRequestError == HttpRequestError.ResponseEnded
                || e is { HttpRequestError: HttpRequestError.Unknown, InnerException: IOException }))
            {
                hungUp = true;
            }
        }
    }
}
