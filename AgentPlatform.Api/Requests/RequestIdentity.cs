using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Requests;

/// <summary>The identity of an HTTP request: in its logs, on every hop to the engine, and in <c>x-request-id</c>.</summary>
internal static class RequestIdentity
{
    public const string Header = "x-request-id";

    // Longer ones are not names.
    private const int MaxConversation = 200;

    /// <summary>
    /// Gives the request an id; the header is set when the response starts, since error handling may clear headers set before.
    /// </summary>
    private static void Assign(HttpContext context)
    {
        context.TraceIdentifier = Guid.CreateVersion7().ToString();
        context.Response.OnStarting(static state =>
        {
            var starting = (HttpContext)state;
            starting.Response.Headers[Header] = starting.TraceIdentifier;
            return Task.CompletedTask;
        }, context);
    }

    /// <summary>Gives every request its id.</summary>
    public static void UseRequestIdentity(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        Assign(context);
        return next(context);
    });

    /// <summary>The conversation that the client says the request belongs to, in <c>x-conversation-id</c>; null if it says none.</summary>
    public static string? ConversationOf(HttpContext context) =>
        context.Request.Headers["x-conversation-id"] is [{ Length: > 0 and <= MaxConversation } conversation] ? conversation : null;

    public static Guid Of(HttpContext context) => Guid.TryParse(context.TraceIdentifier, out var id) ? id : Guid.CreateVersion7();
}
