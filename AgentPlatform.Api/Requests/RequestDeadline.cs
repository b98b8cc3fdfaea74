using System.Globalization;
using AgentPlatform.Api.Limits;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Requests;

/// <summary>
/// How long a request may take: what its client asks for in <see cref="Header"/>, at most the configured limit, or the default; and no
/// longer than the process that answers it.
/// </summary>
internal sealed class RequestDeadline : IDisposable
{
    /// <summary>Seconds, such as <c>30</c> or <c>2.5</c>.</summary>
    public const string Header = "x-request-timeout";

    private readonly CancellationToken _clientLeft;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationToken _stopped;
    private readonly CancellationTokenSource _any;

    /// <param name="context">The request.</param>
    /// <param name="options">The limits.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="stopped">Cancelled when the process gives up what still runs.</param>
    /// <exception cref="InferenceException">400: the header is not a positive number.</exception>
    public RequestDeadline(HttpContext context, InferenceApiOptions options, TimeProvider time, CancellationToken stopped)
    {
        var span = options.DefaultDeadline < options.MaxDeadline ? options.DefaultDeadline : options.MaxDeadline;
        if (context.Request.Headers.TryGetValue(Header, out var given))
        {
            if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || !(seconds > 0))
            {
                throw new InferenceException(InferenceError.Invalid($"The header '{Header}' must be a positive number of seconds.", Header,
                    "invalid_value"));
            }

            span = seconds < options.MaxDeadline.TotalSeconds ? TimeSpan.FromSeconds(seconds) : options.MaxDeadline;
        }

        (At, Limit) = (time.GetUtcNow() + span, new TimeLimit(span, time));
        _clientLeft = context.RequestAborted;
        _timer = new CancellationTokenSource(span, time);
        _stopped = stopped;
        _any = CancellationTokenSource.CreateLinkedTokenSource([_timer.Token, _clientLeft, stopped]);
        Token = _any.Token;
    }

    public DateTimeOffset At { get; }

    /// <summary>The deadline as the time that is left, which no clock that is set can change.</summary>
    public TimeLimit Limit { get; }

    /// <summary>Cancelled when the deadline passes, the client leaves or the process ends.</summary>
    public CancellationToken Token { get; }

    /// <summary>Why a client that still waits gets no answer; null while there is time, and when nobody waits.</summary>
    public InferenceError? Error => _clientLeft.IsCancellationRequested ? null
        : _timer.IsCancellationRequested ? InferenceError.DeadlinePassed()
        : _stopped.IsCancellationRequested
            ? InferenceError.Unavailable("The service was stopped before the answer was complete.", retryAfterSeconds: 1)
        : null;

    public void Dispose()
    {
        _any.Dispose();
        _timer.Dispose();
    }
}
