namespace AgentPlatform.Api.OpenAI;

/// <summary>An OpenAI-compatible server.</summary>
/// <param name="Address">Its base address with the version, such as <c>http://localhost:8000/v1</c>; <c>chat/completions</c> is put behind it.</param>
/// <param name="UpstreamModel">What the server calls the model.</param>
/// <param name="ApiKey">Sent as bearer token; null for servers that want none.</param>
public sealed record OpenAIEndpoint(Uri Address, string UpstreamModel, string? ApiKey = null)
{
    /// <summary>Where <paramref name="path"/> is on this server.</summary>
    internal Uri At(string path) => new($"{Address.AbsoluteUri.TrimEnd('/')}/{path}");
}
