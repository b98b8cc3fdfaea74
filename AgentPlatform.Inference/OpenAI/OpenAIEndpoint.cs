using System.Net.Http.Headers;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>An OpenAI-compatible server.</summary>
/// <param name="Address">Its base address with the version, such as <c>http://localhost:8000/v1</c>; <c>chat/completions</c> is put behind
/// it.</param>
/// <param name="UpstreamModel">What the server calls the model.</param>
/// <param name="ApiKey">Sent as bearer token; null for servers that want none.</param>
public sealed record OpenAIEndpoint(Uri Address, string UpstreamModel, string? ApiKey = null)
{
    /// <summary>A request to <paramref name="path"/> on this server, with its key.</summary>
    public HttpRequestMessage CreateRequest(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri($"{Address.AbsoluteUri.TrimEnd('/')}/{path}"));
        if (!string.IsNullOrEmpty(ApiKey))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ApiKey);
        }

        return request;
    }
}
