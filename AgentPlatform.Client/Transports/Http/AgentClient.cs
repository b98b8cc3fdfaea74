using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Client.Transports.Http;

/// <summary>Speaks the agent containers' contract.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AgentClient(HttpClient http, OpenAIEndpoint agent, ILogger<AgentClient> logger)
{
    // The answers of a batch are never all as large as one may be.
    private const int MaxFullAnswers = 4;

    private readonly UpstreamErrors _errors = new(logger);

    /// <summary>
    /// One request: a chat by <c>/invoke</c>, a text by <c>/analyze</c>. Returns the payload of its <see cref="ReplyKind.Result"/>.
    /// </summary>
    /// <exception cref="InferenceException">The agent refused it, failed or cannot be reached.</exception>
    public async Task<byte[]> SendAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(request.Operation.Info().AgentRoute, BodyOf(request), request.Model, UpstreamContent.MaxAnswerSize,
            cancellationToken);
        return ResultOf(request, answer);
    }

    /// <summary>Many requests by one <c>/batch</c>; the answers, whole as the agent gave them, in the order of the requests.</summary>
    /// <exception cref="InferenceException">The whole batch failed.</exception>
    public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> SendBatchAsync(
        IReadOnlyList<InferenceRequest> requests, CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>();
        body.Write("["u8);
        for (var i = 0; i < requests.Count; i++)
        {
            body.Write(i == 0 ? default : ","u8);
            body.Write(BodyOf(requests[i]));
        }

        body.Write("]"u8);
        var limit = Math.Min(requests.Count, MaxFullAnswers) * UpstreamContent.MaxAnswerSize;
        var answers = Split(await PostAsync("batch", body.WrittenMemory, requests[0].Model, limit, cancellationToken));
        return answers?.Count == requests.Count
            ? answers
            : throw new InferenceException(
                InferenceError.EngineFailed($"The agent was sent a batch of {requests.Count} and answered {answers?.Count ?? 0}."));
    }

    /// <summary>The payload of a <see cref="ReplyKind.Result"/> from an agent's answer.</summary>
    /// <exception cref="InferenceException">The answer is an error (<c>{"error":{...}}</c>) or no answer at all.</exception>
    public byte[] ResultOf(InferenceRequest request, ReadOnlyMemory<byte> answer)
    {
        if (_errors.OfItem(answer.Span, request.Model) is { } error)
        {
            throw new InferenceException(error);
        }

        try
        {
            return request.Operation.Info().HasEnvelope ? ChatJson.WithoutEnvelope(answer.Span) : answer.ToArray();
        }
        catch (FormatException e)
        {
            throw new InferenceException(InferenceError.EngineFailed("The agent sent an answer that is not a chat completion."), e);
        }
    }

    private byte[] BodyOf(InferenceRequest request) =>
        ChatJson.WithModel(request.Body.Span, agent.UpstreamModel, always: request.Operation.Info().HasEnvelope);

    private async Task<ReadOnlyMemory<byte>> PostAsync(
        string path, ReadOnlyMemory<byte> body, string model, int limit, CancellationToken cancellationToken)
    {
        try
        {
            using var message = agent.CreateRequest(HttpMethod.Post, path);
            message.Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadWholeAsync(limit, cancellationToken)
                : throw new InferenceException(await _errors.ToErrorAsync(response, model, cancellationToken));
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }
    }

    private static List<ReadOnlyMemory<byte>>? Split(ReadOnlyMemory<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json.Span, JsonLimits.Reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            var items = new List<ReadOnlyMemory<byte>>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add(json[start..(int)reader.BytesConsumed]);
            }

            return items;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
