using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Preparation;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>
/// Chats by a model that takes a text as BYTES and gives another. A decoupled model (vLLM, TensorRT-LLM) answers through Triton's generate
/// extension, piece by piece; any other through <c>infer</c>, at once.
/// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_generate.md
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TritonGenerator : IInference
{
    private readonly TritonServer _server;
    private readonly TritonOptions _options;
    private readonly PreparationPool _preparation;
    private readonly TritonTensor _input;
    private readonly TritonTensor _output;
    private readonly TritonParameters _parameters;
    private readonly bool _streams;

    /// <exception cref="EngineLoadException">The model generates no text.</exception>
    public TritonGenerator(TritonServer server, TritonModel model, TritonOptions options, PreparationPool preparation)
    {
        (_server, _options, _preparation, _streams) = (server, options, preparation, model.IsDecoupled);
        _input = model.TextInput(options.Input);
        _output = Output(model, options);
        _parameters = new TritonParameters(model, _input, options.MaxTokens);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (text, inputs) = await _preparation.RunAsync(request.Body.Length, _ => Read(request), cancellationToken);
        using var parts = new ChatParts();
        var answer = new TritonAnswer();
        await foreach (var piece in _streams ? GenerateAsync(text, inputs, cancellationToken) : InferAsync(text, inputs, cancellationToken))
        {
            var isFirst = !answer.HasText;
            answer.Add(piece);
            if (request.Stream && piece.Text.Length > 0)
            {
                if (isFirst)
                {
                    yield return parts.Role(0);
                }

                yield return parts.Token(0, piece.Text);
            }
        }

        if (request.Stream)
        {
            if (!answer.HasText)
            {
                yield return parts.Role(0);
            }

            yield return parts.Finish(0, answer.FinishReason);
            yield return parts.End(answer.Usage);
        }
        else
        {
            yield return parts.Result([new ChatChoice(answer.Text, answer.FinishReason)], answer.Usage);
        }
    }

    private (string Text, IReadOnlyList<TritonInput> Inputs) Read(InferenceRequest request)
    {
        using var document = JsonDocument.Parse(request.Body, JsonLimits.Document);
        var turn = ChatTurn.Read(document.RootElement, _parameters.Refusal);
        return (TritonPrompt.Write(turn, _options.Prompt), _parameters.Read(turn, request.Stream));
    }

    private static TritonTensor Output(TritonModel model, TritonOptions options)
    {
        try
        {
            return model.Output(options.Output, "BYTES");
        }
        catch (EngineLoadException e)
            when (string.IsNullOrEmpty(options.Output) && !model.Outputs.Any(static output => output.Datatype == "BYTES"))
        {
            throw new EngineLoadException($"{e.Message} If it classifies, Triton:Labels must name its labels.", e);
        }
    }

    private async IAsyncEnumerable<TritonPiece> InferAsync(
        string text, IReadOnlyList<TritonInput> inputs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var all = new[] { new TritonInput(_input, [text]) }.Concat(inputs);
        var body = InferRequest.Write(_output, all.Select(static input => (input.Tensor, input.Shape, new Action<Utf8JsonWriter>(json =>
        {
            foreach (var value in input.Values)
            {
                value.WriteTo(json);
            }
        }))));
        var texts = await InferResponse.ReadAsync(
            await _server.PostAsync("infer", body, cancellationToken), _output, static value => value.GetString() ?? "", cancellationToken);
        yield return new TritonPiece(string.Concat(texts));
    }

    private async IAsyncEnumerable<TritonPiece> GenerateAsync(
        string text, IReadOnlyList<TritonInput> inputs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _server.PostAsync("generate_stream", Body(text, inputs), cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            throw new InferenceException(InferenceError.EngineFailed(
                $"The model's server was asked for a stream and sent {response.Content.Headers.ContentType?.MediaType ?? "nothing"}."));
        }

        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var events = new SseReader(content);
        var any = false;
        while (await NextAsync(events, cancellationToken))
        {
            any = true;
            yield return Read(events);
        }

        if (!any)
        {
            throw new InferenceException(InferenceError.EngineFailed("The model's server ended its stream without an answer."));
        }
    }

    // {"text_input":"Hi","stream":true,"temperature":0.5,"stop_words":["a","b"]}: the server makes tensors of the fields by their names.
    private ReadOnlyMemory<byte> Body(string text, IReadOnlyList<TritonInput> inputs)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString(_input.Name, text);
            foreach (var input in inputs)
            {
                json.WritePropertyName(input.Tensor.Name);
                if (input.Values.Count == 1)
                {
                    input.Values[0].WriteTo(json);
                    continue;
                }

                json.WriteStartArray();
                foreach (var value in input.Values)
                {
                    value.WriteTo(json);
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private TritonPiece Read(SseReader events)
    {
        try
        {
            return TritonPiece.Read(events.Data.Span, _output.Name);
        }
        catch (UpstreamException e)
        {
            throw _server.Failed(e);
        }
    }

    private static async ValueTask<bool> NextAsync(SseReader events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.ReadAsync(cancellationToken);
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }
    }
}
