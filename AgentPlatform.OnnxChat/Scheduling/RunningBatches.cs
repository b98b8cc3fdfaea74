using System.Numerics;
using AgentPlatform.OnnxChat.Decoding;
using AgentPlatform.OnnxChat.Sampling;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>The sequences that are computed now, in batches of one number of slots each.</summary>
/// <remarks>One caller at a time, but for <see cref="Count"/>.</remarks>
/// <param name="decoder">The model.</param>
/// <param name="mostRows">Most sequences at once.</param>
/// <param name="room">Memory of samplers.</param>
/// <param name="ran">Told of each run, how many sequences it computed.</param>
/// <param name="fail">Ends answers because of an exception.</param>
internal sealed class RunningBatches(
    Decoder decoder, int mostRows, SamplingRoom room, Action<int> ran, Action<Exception, ChatAnswer[]> fail)
{
    private const int LeastSlots = 64;

    // Memory of a batch that has become empty is kept for the next one up to so many bytes: a lone answer goes through several batches.
    private const long MostKept = 64 << 20;

    private readonly SortedDictionary<int, Batch> _batches = [];
    private readonly List<Batch> _visited = [];
    private readonly PresentMemory _present = new(decoder.Layout);
    private readonly float[] _logits = new float[decoder.Layout.Vocabulary];
    private readonly int[] _tokens = new int[mostRows];
    private volatile int _count;

    /// <summary>How many sequences there are.</summary>
    public int Count => _count;

    /// <summary>Adds a sequence whose keys and values are in <paramref name="source"/>.</summary>
    public void Join(ChatSequence sequence, CacheSource source, int length)
    {
        var slots = SlotsFor(length);
        if (!_batches.TryGetValue(slots, out var batch))
        {
            _batches.Add(slots, batch = new Batch(new CacheGroup(decoder.Layout, slots, mostRows)));
        }

        batch.Cache.Add(source, length);
        batch.Sequences.Add(sequence);
        _count++;
    }

    /// <summary>Makes a token for each sequence.</summary>
    public void Step()
    {
        // Sequences only move to batches of more slots, which had their step already.
        _visited.Clear();
        _visited.AddRange(_batches.Values);
        for (var index = _visited.Count - 1; index >= 0; index--)
        {
            Step(_visited[index]);
        }
    }

    /// <summary>Takes away the sequences whose answers are over.</summary>
    public void DropUnwanted()
    {
        _visited.Clear();
        _visited.AddRange(_batches.Values);
        foreach (var batch in _visited)
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

    /// <summary>Takes all sequences away; gives their answers.</summary>
    public List<ChatAnswer> Clear()
    {
        List<ChatAnswer> answers = [.. _batches.Values.SelectMany(batch => batch.Sequences).Select(sequence => sequence.Answer)];
        foreach (var batch in _batches.Values)
        {
            batch.Cache.Dispose();
        }

        _batches.Clear();
        _count = 0;
        return answers;
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
            batch.Cache.Run(decoder, _tokens, _present);
        }
        catch (Exception e)
        {
            fail(e, [.. sequences.Select(sequence => sequence.Answer)]);
            while (sequences.Count > 0)
            {
                Remove(batch, sequences.Count - 1);
            }

            return;
        }

        ran(sequences.Count);

        // From the last on: a row that is taken away is replaced by the last one, which has been dealt with.
        for (var row = sequences.Count - 1; row >= 0; row--)
        {
            try
            {
                Continue(batch, row);
            }
            catch (Exception e)
            {
                fail(e, [sequences[row].Answer]);
                Remove(batch, row);
            }
        }
    }

    /// <summary>Gives a sequence its next token and keeps the one that the model has seen.</summary>
    private void Continue(Batch batch, int row)
    {
        var sequence = batch.Sequences[row];
        batch.Cache.ReadLogits(decoder, row, _logits);
        if (sequence.Answer.IsOver || !sequence.Add(_logits, room))
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
    private int SlotsFor(int length) =>
        decoder.Layout.TakesPositions ? Math.Max(LeastSlots, (int)BitOperations.RoundUpToPowerOf2((uint)length + 1)) : length;

    private void Remove(Batch batch, int row)
    {
        batch.Cache.Remove(row);
        batch.Sequences[row] = batch.Sequences[^1];
        batch.Sequences.RemoveAt(batch.Sequences.Count - 1);
        _count--;
        if (batch.Sequences.Count == 0 && (batch.Cache.Bytes > MostKept || !decoder.Layout.TakesPositions))
        {
            _batches.Remove(batch.Cache.Slots);
            batch.Cache.Dispose();
        }
    }

    /// <summary>Sequences of one number of slots, in the order of the cache's rows.</summary>
    private sealed record Batch(CacheGroup Cache)
    {
        public List<ChatSequence> Sequences { get; } = [];
    }
}
