using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Errors;

/// <summary>Knows the paths of the API, also those that clients with a wrong base address ask for.</summary>
internal static class ApiPaths
{
    private const string Chat = "/v1/chat/completions";

    private static readonly PathString[] _agentRoutes = ["/analyze", "/invoke", "/batch"];

    /// <summary>Whether it is one of the routes of agent containers.</summary>
    public static bool IsAgentRoute(PathString path) =>
        _agentRoutes.Any(route => path.StartsWithSegments(route, StringComparison.OrdinalIgnoreCase));

    /// <summary>A sentence about what was probably meant by a path that leads nowhere; null if nothing comes to mind.</summary>
    public static string? Hint(PathString path)
    {
        var segments = (path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(segments, segment => segment.ToLowerInvariant()) switch
        {
            [.., "chat", "completions"] => DidYouMean(Chat),
            [.., "models"] => DidYouMean("/v1/models"),
            [.., "models", _] => DidYouMean($"/v1/models/{segments[^1]}"),
            [.., "analyze" or "invoke" or "batch"] and [.., var route] => DidYouMean($"/{route}"),
            [.., "responses"] or [.., "responses", _] or [.., "responses", _, _] => $"There is no Responses API here; use {Chat}.",
            [.., "completions"] or [.., "messages"] or [.., "chat"] or [.., "generate"] => $"This API has chat completions, at {Chat}.",
            _ => null,
        };
    }

    private static string DidYouMean(string path) => path.StartsWith("/v1", StringComparison.Ordinal)
        ? $"Did you mean {path}? The base address of OpenAI's clients ends with /v1."
        : $"Did you mean {path}?";
}
