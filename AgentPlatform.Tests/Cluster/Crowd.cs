using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Tests.Cluster;

/// <summary>
/// Clients that stream at the same time, each with a seed of its own, and keep the raw bytes of what they get. Long answers, which go on
/// where the model would have ended.
/// </summary>
internal sealed partial class Crowd
{
    /// <summary>How many streams a worker runs at once.</summary>
    public const int Slots = 16;

    // Two workers run them all at once, one alone does not.
    private const int Size = 24;

    // Enough to be in the middle.
    private const int FirstEvents = 5;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    private static readonly string[] _questions =
    [
        "How do I add a GPU pool?", "How do I see traces?", "What happens when a worker dies?", "How do I scale to zero?",
    ];

    private readonly TaskCompletionSource _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<string>[] _streams;
    private int _begun;

    /// <summary>Lets all of them ask.</summary>
    public Crowd(HttpClient gateway) => _streams = [.. Enumerable.Range(0, Size).Select(seed => StreamAsync(gateway, seed))];

    /// <summary>How many have not got their last byte.</summary>
    public int Waiting => _streams.Count(stream => !stream.IsCompleted);

    /// <summary>Until each has the beginning of its answer.</summary>
    public Task UnderWayAsync() => Task.WhenAny(_underWay.Task, Task.WhenAll(_streams)).WaitAsync(_limit, TimeProvider.System);

    /// <summary>The bytes of all answers as text, without what is another at each request: its id and time.</summary>
    public async Task<IReadOnlyList<string>> EndAsync() =>
        [.. (await Task.WhenAll(_streams).WaitAsync(_limit, TimeProvider.System)).Select(stream => Own().Replace(stream, ""))];

    private async Task<string> StreamAsync(HttpClient gateway, int seed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "tiny-chat",
                stream = true,
                seed,
                temperature = 1.5,
                ignore_eos = true,
                max_tokens = 400,
                messages = new[] { new { role = "user", content = _questions[seed % _questions.Length] } },
            }),
        };
        using var response = await gateway.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var bytes = new MemoryStream();
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[4096];
        var hasBegun = false;
        while (await body.ReadAsync(buffer) is > 0 and var read)
        {
            bytes.Write(buffer, 0, read);
            if (!hasBegun && bytes.GetBuffer().AsSpan(0, (int)bytes.Length).Count("\n\n"u8) >= FirstEvents)
            {
                hasBegun = true;
                if (Interlocked.Increment(ref _begun) == Size)
                {
                    _underWay.SetResult();
                }
            }
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    // data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef",...,"created":1790000000,...
    [GeneratedRegex("(?<=\"id\":\"chatcmpl-)[0-9a-f]{32}|(?<=\"created\":)[0-9]+")]
    private static partial Regex Own();
}
