using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using AgentPlatform.Api.Errors;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Api.Connections;

/// <summary>
/// Gives a body to what the server rejects before there is a request: headers that are too large (431) or do not come (408), what is no
/// HTTP (400). The server tells of it, and then sends an answer without one, which clients report as "no body".
/// See https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/diagnostics.
/// </summary>
/// <remarks>
/// Safe for concurrent use. HTTP/1.1 without TLS only: behind that the bytes of a connection are not those of its answers.
/// </remarks>
internal sealed class RejectedRequests(DiagnosticListener server) : IHostedService, IObserver<KeyValuePair<string, object?>>
{
    private const string Event = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    private IDisposable? _subscription;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = server.Subscribe(this, static name => name == Event);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is IFeatureCollection request
            && request.Get<IBadRequestExceptionFeature>()?.Error is BadHttpRequestException rejection
            && request.Get<IHttpResponseFeature>() is { HasStarted: false } response
            && request.Get<IHttpResetFeature>() is null
            && request.Get<ITlsHandshakeFeature>() is null
            && request.Get<TruncatableOutput>() is { } connection)
        {
            connection.EndWith(Write(rejection, response));
        }
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
    }

    private static ReadOnlySpan<byte> Write(BadHttpRequestException rejection, IHttpResponseFeature response)
    {
        var error = RequestErrors.ErrorOf(rejection);
        var body = new ArrayBufferWriter<byte>();
        ErrorResponse.WriteEnvelope(body, error);
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {rejection.StatusCode} {ReasonPhrases.GetReasonPhrase(rejection.StatusCode)}\r\n");
        foreach (var (name, values) in response.Headers.Where(static header => header.Key != "Content-Length"))
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {values}\r\n");
        }

        head.Append(RetryAdvice.IsFutile(rejection.StatusCode, error.Code) ? $"{RetryAdvice.Header}: false\r\n" : "");
        head.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {body.WrittenCount}\r\n");
        head.Append("Connection: close\r\n\r\n");
        return (byte[])[.. Encoding.ASCII.GetBytes(head.ToString()), .. body.WrittenSpan];
    }
}
