using System.Globalization;
using System.Text;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace AgentPlatform.Tests.Fuzz;

/// <summary>
/// Tries a target with inputs made from a seed until its time is over. All inputs of a run are functions of the run's seed and their
/// number: a failure names both, and <c>AGENTPLATFORM_FUZZ_SEED=SEED:NUMBER</c> tries that one input again.
/// </summary>
internal static class FuzzRun
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "Fuzz";

    // Fourteen targets in a row: with what they need to start, less than two minutes.
    private static readonly TimeSpan _time = TimeSpan.FromSeconds(6);

    // With a seed from outside a run is the same whatever the machine's pace.
    private const int RepeatedInputs = 20_000;

    /// <summary>Tries one input after another.</summary>
    /// <param name="target">Its name in the report.</param>
    /// <param name="output">Where the seed is recorded.</param>
    /// <param name="attempt">Makes an input of the random numbers, tries it, and fails if what must hold does not.</param>
    public static async Task RunAsync(string target, ITestOutputHelper output, Func<Random, Task> attempt)
    {
        var asked = Environment.GetEnvironmentVariable("AGENTPLATFORM_FUZZ_SEED")?.Split(':');
        var seed = asked is [var text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next();
        var (first, count) = asked is [_, var number]
            ? (int.Parse(number, CultureInfo.InvariantCulture), 1)
            : (0, asked is null ? int.MaxValue : RepeatedInputs);
        output.WriteLine($"{target}: seed {seed}");
        var began = TimeProvider.System.GetTimestamp();
        var tried = 0;
        for (; tried < count && (asked is not null || TimeProvider.System.GetElapsedTime(began) < _time); tried++)
        {
            try
            {
                await attempt(new Random(HashOf(seed, first + tried)));
            }
            catch (Exception e)
            {
                throw new XunitException(
                    $"{target} fails with input {first + tried} of seed {seed}; to try it again: "
                        + $"AGENTPLATFORM_FUZZ_SEED={seed}:{first + tried} ./test.sh --filter Category={Tier}\n{e}");
            }
        }

        output.WriteLine($"{target}: {tried} inputs");
        Assert.True(tried > 0);
    }

    /// <summary>The same for a target that waits for nothing.</summary>
    public static Task RunAsync(string target, ITestOutputHelper output, Action<Random> attempt) => RunAsync(target, output, random =>
    {
        attempt(random);
        return Task.CompletedTask;
    });

    /// <summary>Runs something and tells how many bytes it allocated, which unlike time is the same on any machine.</summary>
    public static long AllocationOf(Action work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    // The seeds of neighbours must not be neighbours.
    private static int HashOf(int seed, int number) => (int)(((((ulong)(uint)seed << 32) | (uint)number) * 0x9E3779B97F4A7C15) >> 33);
}

/// <summary>One target after another, while no other test runs.</summary>
[CollectionDefinition(FuzzRun.Tier, DisableParallelization = true)]
public sealed class FuzzTests;

/// <summary>Makes inputs: well-formed ones from pieces, and ones with mistakes.</summary>
internal static class FuzzInputs
{
    private static readonly string[] _texts =
    [
        "", " ", "Hi", "\0", "\u200B", "\uFEFF", "😀", "\uD800", "é", "e\u0301", "<|im_end|>", "{{ x }}", "data: ", "\r\n", "\n\n", "../..",
        "/", "a/b", "%2e", "'", "\"", "\\", "\u2028",
        "none", "auto", "null", "true", "999999999999999999999999", "-1", "NaN", "text", "user", "assistant", "tool", "infinity",
        new('a', 300), new('界', 100),
    ];

    public static T Of<T>(this Random random, params IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    public static string Text(this Random random) => random.Next(6) > 0
        ? random.Of(_texts)
        : string.Concat(
            Enumerable.Range(0, random.Next(30))
                .Select(
                    _ => random.Next(3) == 0 ? random.Of(_texts) : ((char)random.Next(0x20, random.Of(0x7F, 0x800, 0xFFFF))).ToString()));

    public static byte[] Bytes(this Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A JSON value.</summary>
    public static string Json(this Random random, int depth = 4) => random.Next(depth > 0 ? 10 : 7) switch
    {
        0 => "null",
        1 => random.Of("true", "false"),
        2 or 3 => random.Of("0", "1", "-1", "1.5", "1e999", "-0", "2147483648", "9223372036854775808", "1E-7"),
        4 or 5 or 6 => Quote(random.Text()),
        7 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => random.Json(depth - 1)))}]",
        _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"{Quote(random.Text())}:{random.Json(depth - 1)}"))}}}",
    };

    /// <summary>The input with some bytes lost, doubled, changed or cut.</summary>
    public static byte[] Damaged(this Random random, byte[] input)
    {
        var bytes = input.ToList();
        for (var mistakes = random.Next(4); mistakes > 0 && bytes.Count > 0; mistakes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Of('"', '{', '[', ']', '}', ',', ':', '\\', '\0', '\n', 0xC3));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, random.Next(Math.Min(20, bytes.Count - at))));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(bytes.Count - at));
                    break;
            }
        }

        return [.. bytes];
    }

    public static byte[] Damaged(this Random random, string input) => random.Damaged(Encoding.UTF8.GetBytes(input));

    private static string Quote(string text) =>
        $"\"{string.Concat(text.Select(character => IsEscaped(character) ? $"\\u{(int)character:x4}" : character.ToString()))}\"";

    private static bool IsEscaped(char character) => character is < ' ' or '"' or '\\' || char.IsSurrogate(character);
}
