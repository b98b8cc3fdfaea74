using System.Collections.Concurrent;
using AgentPlatform.Inference;
using AgentPlatform.OnnxChat.Decoding;
using AgentPlatform.OnnxChat.Sampling;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>
/// Computes all answers of a model, with continuous batching: an answer joins what runs as soon as its prompt is read, gets a token
/// in each step, and leaves at once when it is complete or its client has gone.
/// </summary>
/// <remarks>
/// Safe for concurrent use. One thread owns the model. A sequence's text is the same whatever else runs: see <see cref="CacheGroup"/> and
/// <see cref="PromptReading"/>.
/// </remarks>
internal sealed partial class ChatLoop : IDisposable
{
    private readonly Decoder _decoder;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<ChatAnswer> _arrived = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly LinkedList<ChatAnswer> _waiting = [];
    private readonly RunningBatches _batches;
    private readonly SamplingRoom _room = new();
    private readonly Thread _thread;
    private PromptReading? _reading;
    private volatile bool _isStopping;

    /// <param name="decoder">The model; the loop disposes of it.</param>
    /// <param name="rows">Most sequences that are computed at once; further ones wait.</param>
    /// <param name="ran">Told of each run, how many sequences it computed.</param>
    /// <param name="logger">Told of runs that fail.</param>
    public ChatLoop(Decoder decoder, int rows, Action<int> ran, ILogger logger)
    {
        (_decoder, Rows, _logger) = (decoder, rows, logger);
        _batches = new RunningBatches(decoder, rows, _room, ran, Fail);

        // A thread of its own and not the pool's: it is in the model's code nearly always, and blocks when there is nothing to do.
        _thread = new Thread(Run) { IsBackground = true, Name = "onnx-chat" };
        _thread.Start();
    }

    /// <summary>Most sequences that are computed at once.</summary>
    public int Rows { get; }

    /// <summary>How many sequences are computed now.</summary>
    public int Active => _batches.Count;

    /// <summary>Begins an answer; it has at most <see cref="Rows"/> choices.</summary>
    public void Submit(ChatAnswer answer)
    {
        if (_isStopping)
        {
            answer.Fail(new InferenceException(InferenceError.Unavailable("The worker is stopping.", retryAfterSeconds: 1)));
            return;
        }

        _arrived.Enqueue(answer);
        _wake.Set();
    }

    /// <summary>Ends the loop at the next step; answers that are not complete fail.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
        _decoder.Dispose();
    }

    private void Run()
    {
        while (!_isStopping)
        {
            try
            {
                if (!Turn())
                {
                    _wake.WaitOne();
                }
            }
            catch (Exception e)
            {
                // Unhandled: fail those that wait, and let later requests try again.
                LoopFailed(_logger, e);
                FailAll(InferenceError.EngineFailed("The engine failed."));
            }
        }

        FailAll(InferenceError.Unavailable("The worker is stopping.", retryAfterSeconds: 1));
    }

    /// <summary>Reads a part of a prompt and makes a token for each sequence; whether there was anything to do.</summary>
    private bool Turn()
    {
        while (_arrived.TryDequeue(out var arrived))
        {
            _waiting.AddLast(arrived);
        }

        DropUnwanted();
        if (_reading is null && _waiting.First is { } first && Active + first.Value.Settings.Choices <= Rows)
        {
            _waiting.RemoveFirst();
            _reading = new PromptReading(first.Value, _decoder);
        }

        if (_reading is not null)
        {
            ReadPrompt(_reading);
        }

        _batches.Step();
        return Active > 0 || _reading is not null || _waiting.Count > 0;
    }

    private void DropUnwanted()
    {
        for (var node = _waiting.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.IsOver)
            {
                _waiting.Remove(node);
            }

            node = next;
        }

        if (_reading?.Answer.IsOver == true)
        {
            EndReading();
        }

        _batches.DropUnwanted();
    }

    private void ReadPrompt(PromptReading reading)
    {
        try
        {
            if (!reading.Read())
            {
                return;
            }

            foreach (var sequence in reading.Answer.Sequences)
            {
                if (sequence.Add(reading.Logits, _room))
                {
                    _batches.Join(sequence, reading.Source(), reading.Answer.Prompt.Count);
                }
            }
        }
        catch (Exception e)
        {
            // Whatever it is, memory or an operator of the graph, it is the business of this prompt only.
            Fail(e, reading.Answer);
        }

        EndReading();
    }

    private void EndReading()
    {
        _reading?.Dispose();
        _reading = null;
    }

    private void Fail(Exception e, params ChatAnswer[] answers)
    {
        RunFailed(_logger, e);
        foreach (var answer in answers)
        {
            answer.Fail(new InferenceException(InferenceError.EngineFailed("The model could not be computed."), e));
        }
    }

    private void FailAll(InferenceError error)
    {
        var failure = new InferenceException(error);
        _reading?.Answer.Fail(failure);
        EndReading();
        foreach (var answer in _waiting.Concat(_arrived).Concat(_batches.Clear()))
        {
            answer.Fail(failure);
        }

        _waiting.Clear();
    }

    [LoggerMessage(LogLevel.Error, "A run of the model failed")]
    private static partial void RunFailed(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Critical, "The loop of the engine failed")]
    private static partial void LoopFailed(ILogger logger, Exception e);
}
