namespace AgentPlatform.Training.Networks;

/// <summary>
/// Finds an id's row with two looks at most, so that a graph without loops can do it: each id lies in one of two places that follow from
/// it (Pagh and Rodler, "Cuckoo Hashing", 2001), and a row knows its id, so that ids which have none are told apart.
/// </summary>
internal sealed class IdTable
{
    /// <summary>
    /// The second place comes from the product with this prime, whose lower
    /// bits are dropped: a remainder alone would follow from the first place.
    /// </summary>
    public const long Multiplier = 2654435761;

    /// <summary>Dividing by it drops those bits; products stay within 64 bits.</summary>
    public const long Divisor = 1 << 16;

    private const int MostMoves = 500;

    private int[] _rows = [];

    /// <summary>Gives <paramref name="ids"/> (different, 1 to 16,777,216) the rows 1, 2, 3 and so on, in their order.</summary>
    public IdTable(IReadOnlyList<long> ids)
    {
        Ids = [0, .. ids.Select(id => (int)id)];
        for (Size = (ids.Count * 11 / 10) | 1; !Fill(); Size += 2)
        {
        }
    }

    /// <summary>The id of each row; row 0 is that of padding and of all unknown ids.</summary>
    public int[] Ids { get; }

    /// <summary>Places in each half of <see cref="Rows"/>.</summary>
    public int Size { get; private set; }

    /// <summary>The row in each place, or 0.</summary>
    public int[] Rows => _rows;

    /// <summary>The row of <paramref name="id"/>, or 0.</summary>
    public int this[long id] => Ids[_rows[First(id)]] == id ? _rows[First(id)] : Ids[_rows[Second(id)]] == id ? _rows[Second(id)] : 0;

    private bool Fill()
    {
        _rows = new int[2 * Size];
        for (var row = 1; row < Ids.Length; row++)
        {
            var (homeless, place) = (row, First(Ids[row]));
            for (var moves = 0; homeless != 0; moves++)
            {
                if (moves == MostMoves)
                {
                    return false;
                }

                (homeless, _rows[place]) = (_rows[place], homeless);
                place = place == First(Ids[homeless]) ? Second(Ids[homeless]) : First(Ids[homeless]);
            }
        }

        return true;
    }

    private int First(long id) => (int)(id % Size);

    private int Second(long id) => Size + (int)(id * Multiplier / Divisor % Size);
}
