using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace AgentPlatform.OnnxChat.Decoding;

/// <summary>A decoder in ONNX Runtime: reads a prompt, and gives the next token's logits for batches of sequences.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class Decoder : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();

    private Decoder(InferenceSession session, DecoderLayout layout) => (_session, Layout) = (session, layout);

    public DecoderLayout Layout { get; }

    /// <summary>Opens a model.</summary>
    /// <param name="path">The graph.</param>
    /// <param name="open">Opens it where it is to be computed.</param>
    /// <param name="vocabulary">Number of logits where the graph leaves it open.</param>
    /// <exception cref="InvalidDataException">It cannot be opened or has another layout; the message names it.</exception>
    public static Decoder Open(string path, Func<string, InferenceSession> open, int? vocabulary)
    {
        var session = open(path);
        try
        {
            return new Decoder(session, DecoderLayout.Read(session, vocabulary));
        }
        catch (InvalidDataException e)
        {
            session.Dispose();
            throw new InvalidDataException($"The model {path} does not fit: {e.Message}", e);
        }
    }

    /// <summary>
    /// Reads the next tokens of a prompt: one run of one sequence over exactly
    /// what came before, so that the result is a function of the prompt alone.
    /// </summary>
    /// <param name="tokens">Some tokens.</param>
    /// <param name="position">How many came before.</param>
    /// <param name="past">Keys and values of those; they stay the caller's.</param>
    /// <param name="logits">Gets the last token's; empty if they are not wanted.</param>
    /// <returns>Keys and values of all, one tensor [1, heads, tokens, head size] for each of the layout's.</returns>
    public IDisposableReadOnlyCollection<OrtValue> Read(
        ReadOnlySpan<int> tokens, int position, IReadOnlyList<OrtValue>? past, Span<float> logits)
    {
        var ids = new long[tokens.Length];
        var positions = new long[tokens.Length];
        for (var index = 0; index < ids.Length; index++)
        {
            (ids[index], positions[index]) = (tokens[index], position + index);
        }

        var mask = new long[position + tokens.Length];
        Array.Fill(mask, 1);
        List<OrtValue> own = [];
        try
        {
            own.Add(OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]));
            own.Add(OrtValue.CreateTensorValueFromMemory(mask, [1, mask.Length]));
            if (Layout.TakesPositions)
            {
                own.Add(OrtValue.CreateTensorValueFromMemory(positions, [1, positions.Length]));
            }

            List<OrtValue> inputs = [.. own];
            for (var index = 0; index < Layout.Tensors; index++)
            {
                if (past is null)
                {
                    own.Add(OrtValue.CreateAllocatedTensorValue(
                        OrtAllocator.DefaultInstance, Layout.Element, [1, Layout.Heads, 0, Layout.HeadSize]));
                }

                inputs.Add(past is null ? own[^1] : past[index]);
            }

            var outputs = _session.Run(_runOptions, Layout.Inputs, inputs, Layout.Outputs);
            if (!logits.IsEmpty)
            {
                ReadLogits(outputs[0], ids.Length - 1, logits);
            }

            return outputs;
        }
        finally
        {
            own.ForEach(value => value.Dispose());
        }
    }

    /// <summary>Computes the next token of every row of a batch.</summary>
    public void Run(IReadOnlyList<OrtValue> inputs, IReadOnlyList<OrtValue> outputs) =>
        _session.Run(_runOptions, Layout.Inputs, inputs, Layout.Outputs, outputs);

    /// <summary>Reads one row of logits [batch, tokens, vocabulary].</summary>
    public void ReadLogits(OrtValue tensor, int row, Span<float> logits)
    {
        var start = row * Layout.Vocabulary;
        if (Layout.LogitElement == TensorElementType.Float)
        {
            tensor.GetTensorDataAsSpan<float>().Slice(start, Layout.Vocabulary).CopyTo(logits);
            return;
        }

        var halves = MemoryMarshal.Cast<Float16, Half>(tensor.GetTensorDataAsSpan<Float16>()).Slice(start, Layout.Vocabulary);
        for (var index = 0; index < halves.Length; index++)
        {
            logits[index] = (float)halves[index];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
    }
}
