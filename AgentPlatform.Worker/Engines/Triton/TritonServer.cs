using System.Net;
using System.Net.Http.Headers;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>One model on a server of the Open Inference Protocol over HTTP.</summary>
/// <remarks>
/// Safe for concurrent use. Disposing of a response closes its connection,
/// which is how the server learns that the answer is not needed.
/// </remarks>
internal sealed class TritonServer(HttpClient http, Uri address, string model, string? version, string? apiKey, ILogger logger)
{
    private const int RetryAfter = 2;

    private readonly UpstreamErrors _errors = new(logger);

    /// <summary>The server's base address.</summary>
    public Uri Address => address;

    private string ModelPath { get;
        } = $"v2/models/{Uri.EscapeDataString(model)}{(string.IsNullOrEmpty(version) ? "" : $"/versions/{Uri.EscapeDataString(version)}")}";

    /// <summary>Why the model takes no requests, or null if it does.</summary>
    /// <exception cref="EngineLoadException">The server refuses the key.</exception>
    public async Task<string?> AskAsync(CancellationToken cancellationToken) =>
        await AskAsync("v2/health/ready", "the server", cancellationToken)
            ?? await AskAsync($"{ModelPath}/ready", $"the model '{model}' there", cancellationToken);

    /// <summary>What the server knows of the model.</summary>
    /// <exception cref="EngineLoadException">It cannot be understood.</exception>
    /// <exception cref="HttpRequestException">The server is away.</exception>
    public async Task<TritonModel> GetModelAsync(CancellationToken cancellationToken)
    {
        var metadata = await GetAsync(ModelPath, cancellationToken)
            ?? throw new EngineLoadException($"The server at {address} has no metadata of the model '{model}'.");
        var config = await GetAsync($"{ModelPath}/config", cancellationToken);
        return TritonModel.Read(metadata.Span, config.GetValueOrDefault().Span);
    }

    /// <summary>Sends a request to one of the model's endpoints: <c>infer</c>, <c>generate_stream</c>.</summary>
    /// <returns>A success whose content has not been read yet.</returns>
    /// <exception cref="InferenceException">It failed.</exception>
    public async Task<HttpResponseMessage> PostAsync(string endpoint, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        using var request = Create(HttpMethod.Post, $"{ModelPath}/{endpoint}");
        request.Content = new ReadOnlyMemoryContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                throw new InferenceException(ErrorOf(response, await response.Content.ReadErrorAsync(cancellationToken)));
            }
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }
    }

    private async Task<string?> AskAsync(string path, string what, CancellationToken cancellationToken)
    {
        using var request = Create(HttpMethod.Get, path);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                throw new EngineLoadException($"The server at {request.RequestUri} refuses Triton:ApiKey ({(int)response.StatusCode})."),
            _ when response.IsSuccessStatusCode => null,
            var status => $"{what} is not ready ({(int)status})",
        };
    }

    /// <summary>The document at <paramref name="path"/>, or null if the server has none.</summary>
    private async Task<ReadOnlyMemory<byte>?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = Create(HttpMethod.Get, path);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.IsSuccessStatusCode
            ? await response.Content.ReadWholeAsync(UpstreamContent.MaxAnswerSize, cancellationToken)
            : null;
    }

    private HttpRequestMessage Create(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri($"{address.AbsoluteUri.TrimEnd('/')}/{path}"));
        if (!string.IsNullOrEmpty(apiKey))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }

        return request;
    }

    /// <summary>The meaning of an error inside of a stream.</summary>
    public InferenceException Failed(UpstreamException e)
    {
        _errors.Log(model, status: 200, e.Said);
        return new InferenceException(InferenceError.EngineFailed("The model's server failed."), e);
    }

    // {"error":"[request id: <id_unknown>] unexpected shape for input 'TEXT' …"}
    private InferenceError ErrorOf(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var status = (int)response.StatusCode;
        _errors.Log(model, status, UpstreamMessage.Parse(body.Span));
        return status switch
        {
            // The protocol's status for what the model does not take; texts that are too long come back so.
            400 or 413 or 422 => InferenceError.Invalid(
                "The model's server refused the request: it may be too long, or of a form that the model does not take."),
            401 or 403 => InferenceError.EngineFailed(
                $"The model's server refused the platform's API key ({status}); the operator must set a valid one."),
            404 or 501 => InferenceError.EngineFailed($"The model's server has no model that can be asked this way ({status})."),
            429 => InferenceError.Overloaded("The model's server is at its limit.", UpstreamErrors.RetryAfterOf(response, 1)),
            408 or 425 or 502 or 503 or 504 => InferenceError.Unavailable(
                $"The model's server answers {status}.", UpstreamErrors.RetryAfterOf(response, RetryAfter)),
            _ => InferenceError.EngineFailed($"The model's server answers {status}."),
        };
    }
}
