using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>
/// Reads answers of the protocol's <c>infer</c>:
/// <c>{"model_name":"m","outputs":[{"name":"scores","datatype":"FP32","shape":[2,3],"data":[0.1,0.2,0.7,0.5,0.3,0.2]}]}</c>.
/// The values may be nested as the shape is, or flat.
/// </summary>
internal static class InferResponse
{
    /// <summary>The values of <paramref name="output"/>, flat.</summary>
    /// <param name="response">The answer; it is read and disposed of.</param>
    /// <param name="output">The tensor that was asked for.</param>
    /// <param name="read">
    /// Reads one value; its exceptions of kind <see cref="InvalidOperationException"/>
    /// and <see cref="FormatException"/> mean another type than expected.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InferenceException">502: the response has another form, or the connection broke.</exception>
    public static async Task<List<T>> ReadAsync<T>(
        HttpResponseMessage response, TritonTensor output, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        using (response)
        {
            try
            {
                using var document = JsonDocument.Parse(
                    await response.Content.ReadWholeAsync(UpstreamContent.MaxAnswerSize, cancellationToken), JsonLimits.Document);
                var tensor = document.RootElement.GetProperty("outputs").EnumerateArray().First(candidate =>
                    candidate.GetProperty("name").ValueEquals(output.Name));
                var values = new List<T>();
                Flatten(tensor.GetProperty("data"), read, values);
                var shape = tensor.GetProperty("shape").EnumerateArray().Aggregate(1L, (count, dimension) => count * dimension.GetInt64());
                return shape == values.Count ? values : throw new FormatException("The answer's shape and values differ in their number.");
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new InferenceException(InferenceError.EngineFailed(
                    $"The model's server sent an answer without the tensor '{output.Name}' as its metadata describes it."), e);
            }
            catch (InvalidDataException e)
            {
                throw new InferenceException(
                    InferenceError.EngineFailed($"The model's server sent more than can be taken: {e.Message}"), e);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                throw new InferenceException(
                    InferenceError.EngineFailed("The connection to the model's server broke before the answer was complete."), e);
            }
        }
    }

    private static void Flatten<T>(JsonElement data, Func<JsonElement, T> read, List<T> values)
    {
        foreach (var item in data.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Array)
            {
                Flatten(item, read, values);
            }
            else
            {
                values.Add(read(item));
            }
        }
    }
}
