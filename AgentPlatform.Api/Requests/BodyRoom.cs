using AgentPlatform.Api.Limits;
using AgentPlatform.Inference;

namespace AgentPlatform.Api.Requests;

/// <summary>
/// The memory that is set apart for request bodies. Bodies above <see cref="SmallSize"/> get no more than their part of it, so that however
/// many of them there are, and however long they take, the usual request finds room.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class BodyRoom
{
    /// <summary>Largest body that may use the whole room.</summary>
    public const int SmallSize = 64 * 1024;

    private readonly long _total;
    private readonly long _forLarge;
    private long _held;
    private long _large;

    public BodyRoom(InferenceApiOptions options)
    {
        _total = options.MaxTotalBodySize;
        _forLarge = Math.Max(options.MaxBodySize, _total - (_total / 4));
    }

    /// <summary>Bytes in use.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Makes the share of one body larger.</summary>
    /// <exception cref="InferenceException">503: there is no room.</exception>
    public void Grow(int from, int to)
    {
        var large = Large(to) - Large(from);
        if (Interlocked.Add(ref _held, to - from) > _total)
        {
            Interlocked.Add(ref _held, from - to);
            throw Full();
        }

        if (large > 0 && Interlocked.Add(ref _large, large) > _forLarge)
        {
            Interlocked.Add(ref _large, -large);
            Interlocked.Add(ref _held, from - to);
            throw Full();
        }
    }

    /// <summary>Gives back the share of one body.</summary>
    public void Free(int share)
    {
        Interlocked.Add(ref _held, -share);
        Interlocked.Add(ref _large, -Large(share));
    }

    /// <summary>Whether a body of that size would find room now.</summary>
    /// <exception cref="InferenceException">503: it would not.</exception>
    public void RequireFree(long size)
    {
        if (Held + size > _total || (size > SmallSize && Interlocked.Read(ref _large) + size > _forLarge))
        {
            throw Full();
        }
    }

    // A share is of one kind as a whole: what grows beyond small leaves none of it among the small ones.
    private static int Large(int share) => share > SmallSize ? share : 0;

    private static InferenceException Full() =>
        new(InferenceError.Unavailable("The requests in progress fill the memory that is set apart for their bodies.",
            retryAfterSeconds: 1));
}
