using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgentPlatform.Api.Edge;

/// <summary>HEAD wherever GET is, and OPTIONS everywhere (RFC 9110, sections 9.1 and 9.3.7), without a route of its own for each.</summary>
internal static class MethodRules
{
    /// <summary>Routes HEAD as GET. The server leaves out the body, since the request on the wire stays what it is.</summary>
    public static void UseHead(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Method = HttpMethods.Get;
        }

        return next(context);
    });

    /// <summary>
    /// Adds what <see cref="UseHead"/> and this method allow to the header that routing has set, and answers OPTIONS with it.
    /// </summary>
    public static bool TryAnswerOptions(HttpContext context)
    {
        var response = context.Response;
        var isServer = context.Features.Get<IHttpRequestFeature>()?.RawTarget == "*";
        if (response.StatusCode == StatusCodes.Status405MethodNotAllowed || isServer)
        {
            var allowed = isServer ? "GET, POST" : response.Headers.Allow.ToString();
            response.Headers.Allow = $"{allowed.Replace("GET", "GET, HEAD", StringComparison.Ordinal)}, OPTIONS";
            if (HttpMethods.IsOptions(context.Request.Method))
            {
                response.StatusCode = StatusCodes.Status204NoContent;
                return true;
            }
        }

        return false;
    }
}
