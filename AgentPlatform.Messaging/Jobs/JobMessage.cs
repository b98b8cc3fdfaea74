using System.Diagnostics;
using System.Globalization;
using System.Text;
using AgentPlatform.Inference;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>What a message of a job queue says.</summary>
/// <param name="Request">What is asked.</param>
/// <param name="ReplyQueue">Where the answer goes.</param>
/// <param name="Issue">Which message of the request it is.</param>
/// <param name="Trace">The publisher's span.</param>
internal sealed record JobMessage(InferenceRequest Request, string ReplyQueue, ushort Issue, ActivityContext Trace)
{
    /// <summary>Reads a message; the time that its request has left is counted from now.</summary>
    /// <param name="properties">The message's properties.</param>
    /// <param name="body">Its body, which the request keeps.</param>
    /// <param name="time">Counts the time.</param>
    /// <exception cref="FormatException">It is no job; names what is wrong, and nothing of what the client wrote.</exception>
    public static JobMessage Read(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, TimeProvider time)
    {
        var headers = properties.Headers ?? throw new FormatException("It has no headers.");
        if (Number(headers, JobHeaders.ContractVersion, 0, int.MaxValue) is var version and not JobHeaders.Version)
        {
            throw new FormatException($"Its contract version is {version}; this build reads {JobHeaders.Version}.");
        }

        if (!Guid.TryParse(properties.MessageId, out var requestId))
        {
            throw new FormatException("Its message-id is missing or not a UUID.");
        }

        if (!Enum.TryParse<Operation>(properties.Type, out var operation) || !Enum.IsDefined(operation))
        {
            throw new FormatException("Its type is missing or not an operation.");
        }

        if (string.IsNullOrEmpty(properties.ReplyTo))
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
                Number(headers, JobHeaders.Deadline, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
            TimeLimit = new TimeLimit(left, time),
            Tenant = Text(headers, JobHeaders.Tenant),
            Body = body,
        };
        return new JobMessage(request, properties.ReplyTo, (ushort)Number(headers, JobHeaders.Issue, 0, ushort.MaxValue), ReadTrace(headers));
    }

    private static ActivityContext ReadTrace(IDictionary<string, object?> headers)
    {
        DistributedContextPropagator.Current.ExtractTraceIdAndState(
            headers,
            static (object? carrier, string key, out string? value, out IEnumerable<string>? _) =>
                (value, _) = (((IDictionary<string, object?>)carrier!).TryGetValue(key, out var found) && found is byte[] utf8 ? Encoding.UTF8.GetString(utf8) : null, null),
            out var traceParent, out var traceState);
        return ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var trace) ? trace : default;
    }

    private static string? Text(IDictionary<string, object?> headers, string key) =>
        !headers.TryGetValue(key, out var value) || value is null ? null
        : value is byte[] utf8 ? Encoding.UTF8.GetString(utf8)
        : throw new FormatException($"Its header '{key}' is not a text.");

    private static bool Flag(IDictionary<string, object?> headers, string key) =>
        headers.TryGetValue(key, out var value) && value is not null && (value as bool? ?? throw new FormatException($"Its header '{key}' is not a boolean."));

    private static long Number(IDictionary<string, object?> headers, string key, long least, long most)
    {
        var number = headers.TryGetValue(key, out var value) && value is int or long or short or byte
            ? Convert.ToInt64(value, CultureInfo.InvariantCulture)
            : throw new FormatException($"Its header '{key}' is missing or not a number.");
        return number >= least && number <= most ? number : throw new FormatException($"Its header '{key}' is {number}, which is out of range.");
    }
}
