using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AgentPlatform.Api.Connections;

/// <summary>
/// Ends a response that failed after it had begun. <see cref="HttpContext.Abort"/> would do that too, but it resets the connection, and a
/// reset throws away what was sent and not received yet, which is the event that says why.
/// </summary>
internal static class TruncationExtensions
{
    private const int Http2InternalError = 0x2;
    private const int Http3InternalError = 0x102;

    // Clients drop what has arrived and is not read when a reset comes, and nothing tells the server that they have read it.
    private static readonly TimeSpan _readingTime = TimeSpan.FromSeconds(0.5);

    /// <summary>Gives every connection an output that can be truncated.</summary>
    public static void AllowTruncation(this KestrelServerOptions server) =>
        server.ConfigureEndpointDefaults(static endpoint => endpoint.Use(static next => async connection =>
        {
            var transport = connection.Transport;
            var output = new TruncatableOutput(transport);
            connection.Transport = output;
            connection.Features.Set(output);
            connection.Features.Set<ITruncationFeature>(output);
            try
            {
                await next(connection);
            }
            finally
            {
                connection.Transport = transport;
            }
        }));

    /// <summary>
    /// Ends the response after what was flushed: in HTTP/1.1 the connection ends without the last chunk, in HTTP/2 and HTTP/3 the stream is
    /// reset, a moment later or when the client has left. Await the last flush before.
    /// </summary>
    public static async ValueTask TruncateAsync(this HttpContext context, TimeProvider time)
    {
        if (context.Features.Get<IHttpResetFeature>() is { } stream)
        {
            await Task.Delay(_readingTime, time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stream.Reset(HttpProtocol.IsHttp3(context.Request.Protocol) ? Http3InternalError : Http2InternalError);
        }
        else if (context.Features.Get<ITruncationFeature>() is { } output)
        {
            output.Truncate();
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
        else
        {
            context.Abort();
        }
    }
}
