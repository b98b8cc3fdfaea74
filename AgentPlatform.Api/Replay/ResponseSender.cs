using System.Buffers;
using AgentPlatform.Api.Connections;
using AgentPlatform.Api.Limits;
using AgentPlatform.Inference.Chat;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Replay;

/// <summary>
/// Sends a response on record to one client, from the reader's place to the end, and fills a stream's silence with comments.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ResponseSender(IOptions<InferenceApiOptions> options, TimeProvider time)
{
    public async Task SendAsync(HttpContext context, ResponseReader reader)
    {
        await reader.Log.Started.WaitAsync(context.RequestAborted);
        var isStream = SendHead(context, reader.Log);
        await context.Response.StartAsync(context.RequestAborted);
        var output = context.Response.BodyWriter;
        while (true)
        {
            switch (reader.Read(out var bytes, out var more))
            {
                case LogState.Bytes:
                    await output.WriteAsync(bytes, context.RequestAborted);
                    break;
                case LogState.Silent:
                    if (!await HasMoreAsync(more, isStream, context.RequestAborted))
                    {
                        output.Write(ChatEvents.Heartbeat); // Only whole events are on record, so this stands between two.
                        await output.FlushAsync(context.RequestAborted);
                    }

                    break;
                case LogState.End:
                    return;
                default:
                    await context.TruncateAsync(time); // The client must not take it for complete.
                    return;
            }
        }
    }

    private static bool SendHead(HttpContext context, ResponseLog log)
    {
        context.Response.StatusCode = log.Status;
        foreach (var header in log.Headers)
        {
            context.Response.Headers[header.Key] = header.Value;
        }

        var isStream = context.Response.ContentType == "text/event-stream";
        if (isStream)
        {
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        }

        return isStream;
    }

    private async ValueTask<bool> HasMoreAsync(Task more, bool isStream, CancellationToken cancellationToken)
    {
        try
        {
            await more.WaitAsync(isStream ? options.Value.HeartbeatInterval : Timeout.InfiniteTimeSpan, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
