using System.Collections.Concurrent;
using System.Numerics;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Worker.Batching;
using AgentPlatform.Worker.Engines.OnnxChat.Decoding;
using AgentPlatform.Worker.Engines.OnnxChat.Sampling;

namespace AgentPlatform.Worker.Engines.OnnxChat.Scheduling;

/// <summary>
/// Computes all answers of a model, with continuous batching: an answer joins what runs as soon as its prompt is read, gets a token
/// in each step, and leaves at once when it is complete or nobody wants it any more.
/// </summary>
/// <remarks>
/// Safe for concurrent use. One thread owns the model. A sequence's text is the same whatever else runs: see <see cref="CacheGroup"/> and
/// <see cref="PromptReading"/>.
/// </remarks>
internal sealed partial class ChatLoop : IDisposable
{
    private const int LeastSlots = 64;

    private readonly Decoder _decoder;
    private readonly BatchingMetrics _metrics;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<ChatAnswer> _arrived = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly LinkedList<ChatAnswer> _waiting = [];
    private readonly SortedDictionary<int, Batch> _batches = [];
    private readonly PresentMemory _present;
    private readonly SamplingRoom _room = new();
    private readonly float[] _logits;
    private readonly int[] _tokens;
    private readonly Thread _thread;
    private PromptReading? _reading;
    private volatile bool _isStopping;
    private volatile int _active;
    private long _steps;

    /// <param name="decoder">The model; the loop disposes of it.</param>
    /// <param name="rows">Most sequences that are computed at once; further ones wait.</param>
    /// <param name="metrics">Told of each run.</param>
    /// <param name="logger">Told of runs that fail.</param>
    public ChatLoop(Decoder decoder, int rows, BatchingMetrics metrics, ILogger logger)
    {
        (_decoder, Rows, _metrics, _logger) = (decoder, rows, metrics, logger);
        (_present, _logits, _tokens) = (new PresentMemory(decoder.Layout), new float[decoder.Layout.Vocabulary], new int[rows]);

        // A thread of its own and not the pool's: it is in the model's code nearly always, and blocks when there is nothing to do.
        _thread = new Thread(Run) { IsBackground = true, Name = "onnx-chat" };
        _thread.Start();
    }

    /// <summary>Most sequences that are computed at once.</summary>
    public int Rows { get; }

    /// <summary>How many sequences are computed now.</summary>
    public int Active => _active;

    /// <summary>How many runs there were after prompts were read.</summary>
    public long Steps => Interlocked.Read(ref _steps);

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
                // Not foreseen; whoever waits must learn of it, and whoever comes later has another try.
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
        if (_reading is null && _waiting.First is { } first && _active + first.Value.Settings.Choices <= Rows)
        {
            _waiting.RemoveFirst();
            _reading = new PromptReading(first.Value, _decoder);
        }

        if (_reading is not null)
        {
            ReadPrompt(_reading);
        }

        // Sequences only move to batches of more slots, which had their step already.
        foreach (var batch in _batches.Values.Reverse().ToList())
        {
            Step(batch);
        }

        return _active > 0 || _reading is not null || _waiting.Count > 0;
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

        foreach (var batch in _batches.Values.ToList())
        {
            for (var row = batch.Sequences.Count - 1; row >= 0; row--)
            {
                if (batch.Sequences[row].Answer.IsOver)
                {
                    Remove(batch, row);
                }
            }
        }
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
                    Join(sequence, reading.Source(), reading.Answer.Prompt.Count);
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

    private void Step(Batch batch)
    {
        var sequences = batch.Sequences;
        if (sequences.Count == 0)
        {
            return;
        }

        for (var row = 0; row < sequences.Count; row++)
        {
            _tokens[row] = sequences[row].Last;
        }

        try
        {
            batch.Cache.Run(_decoder, _tokens, _present);
        }
        catch (Exception e)
        {
            Fail(e, [.. sequences.Select(sequence => sequence.Answer)]);
            while (sequences.Count > 0)
            {
                Remove(batch, sequences.Count - 1);
            }

            return;
        }

        _metrics.Began(sequences.Count);
        Interlocked.Increment(ref _steps);

        // From the last on: a row that is taken away is replaced by the last one, which has been dealt with.
        for (var row = sequences.Count - 1; row >= 0; row--)
        {
            try
            {
                Continue(batch, row);
            }
            catch (Exception e)
            {
                Fail(e, sequences[row].Answer);
                Remove(batch, row);
            }
        }
    }

    /// <summary>Gives a sequence its next token and keeps the one that the model has seen.</summary>
    private void Continue(Batch batch, int row)
    {
        var sequence = batch.Sequences[row];
        batch.Cache.ReadLogits(_decoder, row, _logits);
        if (sequence.Answer.IsOver || !sequence.Add(_logits, _room))
        {
            Remove(batch, row);
            return;
        }

        var length = batch.Cache.LengthOf(row) + 1;
        if (SlotsFor(length) == batch.Cache.Slots)
        {
            batch.Cache.Keep(row, _present);
            return;
        }

        Join(sequence, batch.Cache.RowAndNext(row, _present), length);
        Remove(batch, row);
    }

    // A function of the sequence's length alone. There must be a slot left for the token of the next step, except where the graph counts
    // positions by slots, which then must be as many as tokens.
    private int SlotsFor(int length) => _decoder.Layout.TakesPositions ? Math.Max(LeastSlots, (int)BitOperations.RoundUpToPowerOf2((uint)length + 1)) : length;

    private void Join(ChatSequence sequence, CacheSource source, int length)
    {
        var slots = SlotsFor(length);
        if (!_batches.TryGetValue(slots, out var batch))
        {
            _batches.Add(slots, batch = new Batch(new CacheGroup(_decoder.Layout, slots, Rows)));
        }

        batch.Cache.Add(source, length);
        batch.Sequences.Add(sequence);
        _active++;
    }

    private void Remove(Batch batch, int row)
    {
        batch.Cache.Remove(row);
        batch.Sequences[row] = batch.Sequences[^1];
        batch.Sequences.RemoveAt(batch.Sequences.Count - 1);
        _active--;
        if (batch.Sequences.Count == 0)
        {
            _batches.Remove(batch.Cache.Slots);
            batch.Cache.Dispose();
        }
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
        foreach (var answer in _batches.Values.SelectMany(batch => batch.Sequences).Select(sequence => sequence.Answer).Concat(_waiting).Concat(_arrived))
        {
            answer.Fail(failure);
        }

        foreach (var batch in _batches.Values)
        {
            batch.Cache.Dispose();
        }

        _batches.Clear();
        _waiting.Clear();
        _active = 0;
    }

    [LoggerMessage(LogLevel.Error, "A run of the model failed")]
    private static partial void RunFailed(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Critical, "The loop of the engine failed")]
    private static partial void LoopFailed(ILogger logger, Exception e);

    /// <summary>Sequences of one number of slots, in the order of the cache's rows.</summary>
    private sealed record Batch(CacheGroup Cache)
    {
        public List<ChatSequence> Sequences { get; } = [];
    }
}
