using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AgentPlatform.Api.Connections;

/// <summary>
/// Ends a response that failed after it had begun. <see cref="HttpContext.Abort"/> would do that too, but it resets the connection, and a reset
/// throws away what was sent and not received yet, which is the event that says why.
/// </summary>
internal static class TruncationExtensions
{
    private const int Http2InternalError = 0x2;
    private const int Http3InternalError = 0x102;

    /// <summary>Gives every connection an output that can be truncated.</summary>
    public static void AllowTruncation(this KestrelServerOptions server) =>
        server.ConfigureEndpointDefaults(static endpoint => endpoint.Use(static next => async connection =>
        {
            var transport = connection.Transport;
            var output = new TruncatableOutput(transport);
            connection.Transport = output;
            connection.Features.Set<ITruncationFeature>(output);
            try
            {
            connection.Features.Set(output);
                await next(connection);
            }
            finally
            {
                connection.Transport = transport;
            }
        }));

    /// <summary>
    /// Ends the response after what was flushed: in HTTP/1.1 the connection ends without the last chunk, in HTTP/2 and HTTP/3 the stream is reset.
    /// Await the last flush before.
    /// </summary>
    public static void Truncate(this HttpContext context)
    {
        if (context.Features.Get<IHttpResetFeature>() is { } stream)
        {
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
