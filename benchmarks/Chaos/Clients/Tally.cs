using AgentPlatform.Benchmarks.Load;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>What became of the requests of a plan.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class Tally(TimeSpan step)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Verdict, int> _verdicts = [];
    private readonly SortedDictionary<string, int> _errors = new(StringComparer.Ordinal);
    private readonly List<double> _silences = [];
    private readonly List<double> _firstEvents = [];
    private readonly List<long> _completions = [];
    private readonly List<string> _examples = [];
    private int _refusalsWithoutRetryAfter;

    /// <summary>A stream counts as interrupted when it was silent for so many steps more than the one it is to be.</summary>
    public const int NoticeableSteps = 4;

    public int Requests => Sum(Enum.GetValues<Verdict>());

    /// <summary>Refusals that should say when to come again, and do not.</summary>
    public int RefusalsWithoutRetryAfter => _refusalsWithoutRetryAfter;

    /// <summary>The first bad answers, one sentence each.</summary>
    public IReadOnlyList<string> Examples => [.. _examples];

    /// <summary>Errors by status and code.</summary>
    public IReadOnlyDictionary<string, int> Errors => _errors;

    public int Sum(params IEnumerable<Verdict> verdicts)
    {
        lock (_lock)
        {
            return verdicts.Sum(verdict => _verdicts.GetValueOrDefault(verdict));
        }
    }

    /// <summary>Counts a request that ended.</summary>
    public void Add(ChaosRequest request, Answer answer, Verdict verdict, string? reason)
    {
        lock (_lock)
        {
            _verdicts[verdict] = _verdicts.GetValueOrDefault(verdict) + 1;
            if (verdict is Verdict.Completed)
            {
                _completions.Add(TimeProvider.System.GetTimestamp());
            }

            if (answer.First > 0)
            {
                _silences.Add((answer.LongestSilence - step).TotalMilliseconds);
                _firstEvents.Add(TimeProvider.System.GetElapsedTime(answer.Asked, answer.First).TotalMilliseconds);
            }

            if (answer.Error is { } error)
            {
                var kind = answer.Status == 200 ? $"{error} inside a stream" : $"{answer.Status} {error}";
                _errors[kind] = _errors.GetValueOrDefault(kind) + 1;
                _refusalsWithoutRetryAfter += answer is { Status: 429 or 503, HasRetryAfter: false } ? 1 : 0;
            }

            if (verdict is Verdict.Duplicated or Verdict.Truncated or Verdict.Wrong or Verdict.Hung && _examples.Count < 5)
            {
                _examples.Add($"{verdict}: {request.Name} ({answer.RequestId}): {reason}.");
            }
        }
    }

    /// <summary>
    /// How many streams were interrupted, and for how many milliseconds, the silence beyond the normal step; 0 if none was.
    /// </summary>
    public (int Count, double P50, double P99) Gaps()
    {
        lock (_lock)
        {
            var gaps = _silences.Where(silence => silence > NoticeableSteps * step.TotalMilliseconds).Order().ToList();
            return gaps.Count == 0 ? default : (gaps.Count, LoadResult.Percentile(gaps, 0.5), LoadResult.Percentile(gaps, 0.99));
        }
    }

    /// <summary>99 of 100 streams began within so many milliseconds.</summary>
    public double FirstEventP99()
    {
        lock (_lock)
        {
            return LoadResult.Percentile([.. _firstEvents.Order()], 0.99);
        }
    }

    /// <summary>How long after <paramref name="moment"/> the next answer was complete; null if none was.</summary>
    public TimeSpan? UntilCompletion(long moment)
    {
        lock (_lock)
        {
            var next = _completions.Where(completion => completion > moment).DefaultIfEmpty().Min();
            return next == 0 ? null : TimeProvider.System.GetElapsedTime(moment, next);
        }
    }

    /// <summary>How many answers were completed between two moments.</summary>
    public int CompletedBetween(long from, long to)
    {
        lock (_lock)
        {
            return _completions.Count(completion => completion > from && completion <= to);
        }
    }
}
