namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>
/// The random numbers of an answer: SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014), whose n-th number is a function of seed
/// and n alone. So an answer that is continued somewhere else draws what it would have drawn.
/// </summary>
internal readonly struct SplitMix64(ulong seed)
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;

    /// <summary>The generator of another stream of numbers: that of the choice with this index.</summary>
    public SplitMix64 Split(int index) => index == 0 ? this : new SplitMix64(Mix(seed + (Gamma * (ulong)index)));

    /// <summary>Its number at <paramref name="place"/>, evenly from [0, 1).</summary>
    public double UniformAt(int place) => (Mix(seed + (Gamma * ((ulong)place + 1))) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
