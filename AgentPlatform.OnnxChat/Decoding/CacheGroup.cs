using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace AgentPlatform.OnnxChat.Decoding;

/// <summary>
/// Keys and values of the sequences that are computed in one run: tensors [rows, heads, slots, head
/// size], in which a sequence's tokens fill a row's first slots and the mask hides the others. The
/// graph appends the new token behind the last slot; from there it is copied to its place, so that
/// nothing else ever moves. Since rows come first, fewer rows are a shorter part of the same memory.
/// </summary>
/// <remarks>
/// One caller at a time. How many slots a sequence has is a function of its own length, never of its neighbours', since the order in
/// which numbers are added depends on shapes. For the same reason a single row is computed with an empty one: matrices of one row
/// have another way to be multiplied.
/// </remarks>
internal sealed class CacheGroup : IDisposable
{
    private const int LeastRows = 2;

    private readonly DecoderLayout _layout;
    private readonly TensorMemory[] _past;
    private readonly int[] _lengths;
    private TensorMemory _ids, _mask, _positions;
    private int _capacity;
    private readonly Bindings?[] _bindings;
    private Bindings? _current;

    public CacheGroup(DecoderLayout layout, int slots, int mostRows)
    {
        (_layout, Slots, _capacity) = (layout, slots, LeastRows);
        _past = new TensorMemory[layout.Tensors];
        _lengths = new int[Math.Max(mostRows, LeastRows)];
        _bindings = new Bindings?[_lengths.Length + 1];
        (_ids, _mask, _positions) = (
            new(LeastRows * sizeof(long)), new(LeastRows * sizeof(long) * (slots + 1L)), new(LeastRows * sizeof(long)));
        for (var index = 0; index < _past.Length; index++)
        {
            _past[index] = new TensorMemory(LeastRows * PastBytes);
        }

        ClearMask(0, LeastRows);
    }

    /// <summary>Places for tokens in a row.</summary>
    public int Slots { get; }

    /// <summary>How many rows hold a sequence.</summary>
    public int Rows { get; private set; }

    /// <summary>Memory that it takes.</summary>
    public long Bytes => _capacity * PastBytes * _past.Length;

    /// <summary>Rows of a run.</summary>
    private int RunRows => Math.Max(Rows, LeastRows);

    private long PastBytes => (long)Slots * _layout.TokenBytes;

    /// <summary>How many tokens a row holds.</summary>
    public int LengthOf(int row) => _lengths[row];

    /// <summary>Adds a row with the first <paramref name="length"/> tokens of <paramref name="source"/>.</summary>
    public int Add(CacheSource source, int length)
    {
        if (Rows == _capacity)
        {
            Grow();
        }

        var row = Rows++;
        for (var tensor = 0; tensor < _past.Length; tensor++)
        {
            for (var head = 0; head < _layout.Heads; head++)
            {
                source.Copy(tensor, head, length, _past[tensor].Span(Offset(row, head, 0), length * _layout.HeadBytes));
            }
        }

        _lengths[row] = length;
        var mask = MaskOf(row);
        mask.Clear();
        mask[..length].Fill(1);
        mask[Slots] = 1;
        return row;
    }

    /// <summary>Takes a row away; the last one takes its place.</summary>
    public void Remove(int row)
    {
        var last = --Rows;
        if (row != last)
        {
            foreach (var memory in _past)
            {
                memory.Span((int)(last * PastBytes), (int)PastBytes).CopyTo(memory.Span((int)(row * PastBytes), (int)PastBytes));
            }

            MaskOf(last).CopyTo(MaskOf(row));
            _lengths[row] = _lengths[last];
        }

        ClearMask(last, 1);
    }

    /// <summary>Appends a token to every row: keys and values go to <paramref name="present"/>, the logits to their tensor there.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="tokens">One for each row.</param>
    /// <param name="present">What the run gives.</param>
    public void Run(Decoder decoder, ReadOnlySpan<int> tokens, PresentMemory present)
    {
        var ids = _ids.Numbers<long>(RunRows);
        var positions = _positions.Numbers<long>(RunRows);
        for (var row = 0; row < RunRows; row++)
        {
            ids[row] = row < Rows ? tokens[row] : 0;
            positions[row] = row < Rows ? _lengths[row] : 0;
        }

        present.Reserve(RunRows, Slots);
        ref var bindings = ref _bindings[RunRows];
        if (bindings?.Version != present.Version)
        {
            bindings?.Dispose();
            bindings = null;
            bindings = new Bindings(this, present);
        }

        _current = bindings;
        decoder.Run(bindings.Inputs, bindings.Outputs);
    }

    /// <summary>Reads a row's logits of the last run.</summary>
    public void ReadLogits(Decoder decoder, int row, Span<float> logits) => decoder.ReadLogits(_current!.Outputs[0], row, logits);

    /// <summary>Puts the token that the last run appended to a row into its place; there must be one left.</summary>
    public void Keep(int row, PresentMemory present)
    {
        var length = _lengths[row]++;
        for (var tensor = 0; tensor < _past.Length; tensor++)
        {
            for (var head = 0; head < _layout.Heads; head++)
            {
                present.Token(tensor, row, head, Slots, Slots).CopyTo(_past[tensor].Span(Offset(row, head, length), _layout.HeadBytes));
            }
        }

        MaskOf(row)[length] = 1;
    }

    /// <summary>A row as the source of another group's.</summary>
    public CacheSource Row(int row) =>
        new((tensor, head, length, target) => _past[tensor].Span(Offset(row, head, 0), length * _layout.HeadBytes).CopyTo(target));

    /// <summary>A row with the token that the last run appended behind it, as the source of another group's.</summary>
    public CacheSource RowAndNext(int row, PresentMemory present) => new((tensor, head, length, target) =>
    {
        var before = (length - 1) * _layout.HeadBytes;
        _past[tensor].Span(Offset(row, head, 0), before).CopyTo(target);
        present.Token(tensor, row, head, Slots, Slots).CopyTo(target[before..]);
    });

    /// <inheritdoc/>
    public void Dispose() => DropBindings();

    private int Offset(int row, int head, int slot) => checked((((row * _layout.Heads) + head) * Slots + slot) * _layout.HeadBytes);

    private Span<long> MaskOf(int row) => _mask.Numbers<long>(_capacity * (Slots + 1)).Slice(row * (Slots + 1), Slots + 1);

    // A row without a sequence sees only its own new token.
    private void ClearMask(int row, int count)
    {
        for (; count > 0; row++, count--)
        {
            MaskOf(row).Clear();
            MaskOf(row)[Slots] = 1;
        }
    }

    private void Grow()
    {
        // First: should there not be enough memory for all, no tensor may be left over what was replaced.
        DropBindings();
        var capacity = Math.Min(_capacity * 2, _lengths.Length);
        for (var tensor = 0; tensor < _past.Length; tensor++)
        {
            _past[tensor] = Larger(_past[tensor], PastBytes);
        }

        (_ids, _mask, _positions) = (
            Larger(_ids, sizeof(long)), Larger(_mask, sizeof(long) * (Slots + 1L)), Larger(_positions, sizeof(long)));
        _capacity = capacity;
        ClearMask(Rows, capacity - Rows);

        TensorMemory Larger(TensorMemory memory, long rowBytes)
        {
            var larger = new TensorMemory(rowBytes * capacity);
            var used = (int)(rowBytes * Rows);
            memory.Span(0, used).CopyTo(larger.Span(0, used));
            return larger;
        }
    }

    private void DropBindings()
    {
        foreach (var bindings in _bindings)
        {
            bindings?.Dispose();
        }

        Array.Clear(_bindings);
    }

    /// <summary>Tensors of one number of rows, which comes again and again as sequences join and leave.</summary>
    private sealed class Bindings : IDisposable
    {
        public Bindings(CacheGroup group, PresentMemory present)
        {
            Version = present.Version;
            var (layout, rows) = (group._layout, group.RunRows);
            Inputs.Add(group._ids.Tensor(TensorElementType.Int64, rows, 1));
            Inputs.Add(group._mask.Tensor(TensorElementType.Int64, rows, group.Slots + 1));
            if (layout.TakesPositions)
            {
                Inputs.Add(group._positions.Tensor(TensorElementType.Int64, rows, 1));
            }

            Inputs.AddRange(group._past.Select(memory => memory.Tensor(layout.Element, rows, layout.Heads, group.Slots, layout.HeadSize)));
            Outputs = present.Tensors(rows, group.Slots);
        }

        public List<OrtValue> Inputs { get; } = [];

        public List<OrtValue> Outputs { get; }

        /// <summary>That of the memory which the outputs are over.</summary>
        public int Version { get; }

        public void Dispose()
        {
            Inputs.ForEach(value => value.Dispose());
            Outputs.ForEach(value => value.Dispose());
        }
    }
}

/// <summary>Where a sequence's keys and values come from.</summary>
/// <param name="copy">Copies the first tokens of a head of a tensor: tensor, head, tokens, target.</param>
internal readonly struct CacheSource(CacheSource.Copier copy)
{
    /// <summary>Copies the first <paramref name="length"/> tokens.</summary>
    public delegate void Copier(int tensor, int head, int length, Span<byte> target);

    public void Copy(int tensor, int head, int length, Span<byte> target) => copy(tensor, head, length, target);
}
