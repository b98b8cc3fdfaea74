using System.Collections.Concurrent;
using System.Globalization;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Messaging.Admission;

/// <summary>
/// Lets requests into the queues, or refuses those that would expire before their turn: work on them would be waste, and the more of it
/// the more there is to do. Knows the load of each queue as far as this gateway makes it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class QueueAdmission
{
    private readonly ConcurrentDictionary<string, QueueLoad> _loads = new(StringComparer.Ordinal);
    private readonly AdmissionMetrics _metrics;
    private readonly TimeProvider _time;

    public QueueAdmission(AdmissionMetrics metrics, TimeProvider time)
    {
        (_metrics, _time) = (metrics, time);
        metrics.Observe(_loads);
    }

    /// <summary>The load of a queue.</summary>
    public QueueLoad this[string queue] => _loads.GetOrAdd(queue, static (_, time) => new QueueLoad(time), _time);

    /// <summary>Gives the request its place in the queue; call before publishing it.</summary>
    /// <param name="queue">The queue's name.</param>
    /// <param name="request">The request.</param>
    /// <param name="place">Its place, to be kept where it is.</param>
    /// <exception cref="InferenceException">429: its turn would come too late.</exception>
    public void Enter(string queue, InferenceRequest request, out QueuePlace place)
    {
        if (!this[queue].TryEnter(request.TimeLimit.Left, out place, out var wait))
        {
            _metrics.Refused(queue, "deadline");
            throw new InferenceException(InferenceError.Overloaded(
                string.Create(CultureInfo.InvariantCulture, $"The model '{request.Model}' is overloaded: the request would wait for about {wait?.TotalSeconds:0} s, too long for its deadline."),
                QueueLoad.RetryAfter(wait)));
        }
    }

    /// <summary>What a client is told whose request the broker refused because the queue is full.</summary>
    public InferenceException Full(string queue, string model)
    {
        _metrics.Refused(queue, "full");
        return new InferenceException(InferenceError.Overloaded($"The queue of model '{model}' is full.", this[queue].RetryAfterSeconds));
    }
}
