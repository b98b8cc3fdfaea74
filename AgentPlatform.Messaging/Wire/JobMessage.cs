using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.Wire;

/// <summary>What a message of a job queue says.</summary>
/// <param name="Request">What is asked.</param>
/// <param name="ReplyQueue">Where the answer goes.</param>
/// <param name="Issue">Which message of the request it is.</param>
/// <param name="Trace">The publisher's span.</param>
internal sealed record JobMessage(InferenceRequest Request, string ReplyQueue, ushort Issue, ActivityContext Trace)
{
    /// <summary>The message of a request, with the current span as its trace.</summary>
    /// <param name="request">The request.</param>
    /// <param name="version">The version of the model that is to answer.</param>
    /// <param name="replyQueue">Where the answer goes.</param>
    /// <param name="issue">Which message of the request it is.</param>
    public static BrokerMessage Write(InferenceRequest request, string version, string replyQueue, ushort issue)
    {
        var headers = JobHeaders.Write(request, version);
        headers[JobHeaders.Issue] = (int)issue;
        return new BrokerMessage
        {
            Id = request.RequestId.ToString(),
            Type = request.Operation.ToString(),
            ReplyTo = replyQueue,
            Headers = headers,
            Body = request.Body,
            Expiration = request.TimeLimit.IsSet ? request.TimeLimit.Left : null,
        };
    }

    /// <summary>Reads a message; the time that its request has left is counted from now.</summary>
    /// <param name="message">The message, whose body the request keeps.</param>
    /// <param name="time">Counts the time.</param>
    /// <exception cref="FormatException">It is not a job; names what is wrong, and nothing of what the client wrote.</exception>
    public static JobMessage Read(BrokerMessage message, TimeProvider time)
    {
        var headers = message.Headers;
        if (Number(headers, JobHeaders.ContractVersion, 0, int.MaxValue) is var version and not JobHeaders.Version)
        {
            throw new FormatException($"Its contract version is {version}; this build reads {JobHeaders.Version}.");
        }

        if (!Guid.TryParse(message.Id, out var requestId))
        {
            throw new FormatException("Its message-id is missing or not a UUID.");
        }

        if (!Enum.TryParse<Operation>(message.Type, out var operation) || !Enum.IsDefined(operation))
        {
            throw new FormatException("Its type is missing or not an operation.");
        }

        if (string.IsNullOrEmpty(message.ReplyTo))
        {
            throw new FormatException("Its reply-to is missing.");
        }

        // It is missing if there is no deadline, and in messages of gateways of an earlier build, which end their requests themselves.
        var left = headers.ContainsKey(JobHeaders.TimeLeft)
            ? TimeSpan.FromMilliseconds(Number(headers, JobHeaders.TimeLeft, 0, (long)JobHeaders.MostTimeLeft.TotalMilliseconds))
            : JobHeaders.MostTimeLeft;
        var request = new InferenceRequest
        {
            RequestId = requestId,
            Model = Text(headers, JobHeaders.Model) is { Length: > 0 } model ? model : throw new FormatException("It names no model."),
            Operation = operation,
            Stream = Flag(headers, JobHeaders.Stream),
            Deadline = DateTimeOffset.FromUnixTimeMilliseconds(
                Number(headers, JobHeaders.Deadline, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(),
                    DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
            TimeLimit = new TimeLimit(left, time),
            Tenant = Text(headers, JobHeaders.Tenant),
            Body = message.Body,
        };
        return new JobMessage(request, message.ReplyTo, (ushort)Number(headers, JobHeaders.Issue, 0, ushort.MaxValue), ReadTrace(headers));
    }

    private static ActivityContext ReadTrace(IReadOnlyDictionary<string, object?> headers)
    {
        DistributedContextPropagator.Current.ExtractTraceIdAndState(
            headers,
            static (object? carrier, string key, out string? value, out IEnumerable<string>? _) =>
                (value, _) = (((IReadOnlyDictionary<string, object?>)carrier!).GetValueOrDefault(key) as string, null),
            out var traceParent, out var traceState);
        return ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var trace) ? trace : default;
    }

    private static string? Text(IReadOnlyDictionary<string, object?> headers, string key) =>
        headers.GetValueOrDefault(key) is not { } value ? null : value as string
            ?? throw new FormatException($"Its header '{key}' is not a text.");

    private static bool Flag(IReadOnlyDictionary<string, object?> headers, string key) =>
        headers.GetValueOrDefault(key) is { } value
            && (value as bool? ?? throw new FormatException($"Its header '{key}' is not a boolean."));

    private static long Number(IReadOnlyDictionary<string, object?> headers, string key, long least, long most)
    {
        var number = headers.GetValueOrDefault(key) as long?
            ?? throw new FormatException($"Its header '{key}' is missing or not a number.");
        return number >= least && number <= most
            ? number
            : throw new FormatException($"Its header '{key}' is {number}, which is out of range.");
    }
}
