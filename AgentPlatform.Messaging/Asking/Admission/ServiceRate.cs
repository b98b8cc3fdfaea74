namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>
/// How many requests a second a pool starts when it has all it can do. Each measurement is the time between two starts of which the second
/// request was waiting all along; what happened longer ago counts less. An hour of light load therefore says nothing, and the first second
/// of a backlog says much.
/// </summary>
/// <remarks>Not thread-safe. All times are seconds.</remarks>
internal sealed class ServiceRate
{
    /// <summary>Fewer measurements than this are not knowledge.</summary>
    public const int Enough = 8;

    // Old measurements fade with the time that the newer ones took, but never faster than to the weight of sixteen: a model that starts
    // one request in twenty seconds is to be known too.
    private const double Memory = 5;
    private const double FastestFade = 15.0 / 16;

    // Longer without a measurement than this, several usual intervals or two services: it was quiet, or the pool was away. It may come back
    // with another size, and what it took to come back is not a measurement.
    private const double Lifetime = 10;
    private const int Intervals = 8;
    private const int Services = 2;

    private double _starts;
    private double _seconds;
    private int _count;
    private double _last = double.NegativeInfinity;
    private double? _before;

    /// <summary>Starts a second when they were last measured, however long ago; null if they never were.</summary>
    public double? Last => _count >= Enough && _seconds > 0 ? _starts / _seconds : _before;

    /// <summary>Notes a start after which the pool had been busy since the one before.</summary>
    /// <param name="interval">Time between the two.</param>
    /// <param name="service">How long a request occupies the pool, as far as is known; 0 if not.</param>
    /// <param name="now">The time.</param>
    public void Add(double interval, double service, double now)
    {
        if (IsOver(service, now))
        {
            _before = Last;
            (_starts, _seconds, _count, _last) = (0, 0, 0, now);
            return;
        }

        var fade = Math.Max(Math.Exp(-interval / Memory), FastestFade);
        _starts = (_starts * fade) + 1;
        _seconds = (_seconds * fade) + interval;
        _count++;
        _last = now;
    }

    /// <summary>Starts a second, or null while too little is known.</summary>
    /// <param name="idle">For how long no request was started though some waited; a pool that slows down shows in it first.</param>
    /// <param name="service">As for <see cref="Add"/>.</param>
    /// <param name="now">The time.</param>
    public double? At(double idle, double service, double now) => _count < Enough || IsOver(service, now) ? null
        : _seconds > 0 ? Math.Min(_starts / _seconds, (_starts + 1) / (_seconds + idle))
        : double.PositiveInfinity;

    private bool IsOver(double service, double now) =>
        now - _last > Math.Max(Lifetime, Math.Max(Services * service, _count > 0 ? Intervals * _seconds / _starts : 0));
}
