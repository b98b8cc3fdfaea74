using System.Globalization;
using AgentPlatform.Messaging.Contracts;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Requests;

/// <summary>How long a request may take: what its client asks for in <see cref="Header"/>, at most the configured limit, or the default.</summary>
internal sealed class RequestDeadline : IDisposable
{
    /// <summary>Seconds, such as <c>30</c> or <c>2.5</c>.</summary>
    public const string Header = "x-request-timeout";

    private readonly CancellationToken _clientLeft;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    /// <exception cref="InferenceException">400: the header is no positive number.</exception>
    public RequestDeadline(HttpContext context, InferenceApiOptions options, TimeProvider time)
    {
        var span = options.DefaultDeadline < options.MaxDeadline ? options.DefaultDeadline : options.MaxDeadline;
        if (context.Request.Headers.TryGetValue(Header, out var given))
        {
            if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || !(seconds > 0))
            {
                throw new InferenceException(InferenceError.Invalid($"The header '{Header}' must be a positive number of seconds.", Header, "invalid_value"));
            }

            span = seconds < options.MaxDeadline.TotalSeconds ? TimeSpan.FromSeconds(seconds) : options.MaxDeadline;
        }

        At = time.GetUtcNow() + span;
        _clientLeft = context.RequestAborted;
        _timer = new CancellationTokenSource(span, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, _clientLeft);
        Token = _either.Token;
    }

    public DateTimeOffset At { get; }

    /// <summary>Cancelled when the deadline passes or the client leaves.</summary>
    public CancellationToken Token { get; }

    /// <summary>Whether the client still waits though it is too late.</summary>
    public bool HasPassed => _timer.IsCancellationRequested && !_clientLeft.IsCancellationRequested;

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
