using System.Collections.Concurrent;
using System.Globalization;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>
/// Lets requests into the queues, or refuses those that would expire before their turn: work on them would be waste, and the more of it
/// the more there is to do. Knows the load of each queue as far as this gateway makes it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class QueueAdmission
{
    private readonly ConcurrentDictionary<string, QueueLoad> _loads = new(StringComparer.Ordinal);
    private readonly AdmissionMetrics _metrics;
    private readonly AdmissionOptions _options;
    private readonly TimeProvider _time;

    public QueueAdmission(AdmissionMetrics metrics, IOptions<AdmissionOptions> options, TimeProvider time)
    {
        (_metrics, _options, _time) = (metrics, options.Value, time);
        metrics.Observe(_loads);
    }

    /// <summary>The load of a queue.</summary>
    public QueueLoad this[string queue] =>
        _loads.GetOrAdd(queue, static (_, admission) => new QueueLoad(admission._options, admission._time), this);

    /// <summary>Gives the request its place in the queue; call before publishing it.</summary>
    /// <param name="queue">The queue's name.</param>
    /// <param name="request">The request.</param>
    /// <param name="place">Its place, to be kept where it is.</param>
    /// <exception cref="InferenceException">429: its turn would come too late, or it does not fit.</exception>
    public void Enter(string queue, InferenceRequest request, out QueuePlace place)
    {
        var load = this[queue];
        var refusal = load.Enter(request.TimeLimit.Left, request.Body.Length, out place, out var wait);
        if (refusal != AdmissionRefusal.None)
        {
            _metrics.Refused(queue, refusal);
            throw new InferenceException(InferenceError.Overloaded(MessageOf(refusal, request.Model, load.Waiting, wait),
                load.RetryAfter(wait)));
        }
    }

    /// <summary>The request is over, for whatever reason.</summary>
    public void Leave(string queue, InferenceRequest request, ref QueuePlace place)
    {
        if (place.Leave() && request.TimeLimit.HasPassed)
        {
            _metrics.Expired(queue);
        }
    }

    /// <summary>What a client is told whose request the broker refused because the queue is full.</summary>
    public InferenceException Full(string queue, string model)
    {
        _metrics.Refused(queue, AdmissionRefusal.Full);
        return new InferenceException(InferenceError.Overloaded($"The queue of model '{model}' is full.", this[queue].RetryAfterSeconds));
    }

    private static string MessageOf(AdmissionRefusal refusal, string model, int waiting, TimeSpan? wait) => refusal switch
    {
        AdmissionRefusal.Deadline => string.Create(CultureInfo.InvariantCulture,
            $"The model '{model}' is overloaded: the request would wait for " +
            $"{(wait < TimeSpan.FromSeconds(1) ? "less than a second" : $"about {wait?.TotalSeconds:0} s")}, too long for its deadline."),
        AdmissionRefusal.UnknownPace => string.Create(CultureInfo.InvariantCulture,
            $"The model '{model}' is overloaded: {waiting} requests wait already, and too little is known of its pace to expect an " +
            $"answer within the deadline."),
        _ => $"The model '{model}' is overloaded: the requests that wait for it are too large together.",
    };
}
