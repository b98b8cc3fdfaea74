using System.Security.Cryptography;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Dead;

/// <summary>
/// Makes a <see cref="DeadJob"/> of a message. Never fails: what cannot be read is left out, since any message may end here.
/// </summary>
internal static class DeadJobParser
{
    public static DeadJob Parse(BrokerMessage message)
    {
        var headers = message.Headers;
        var own = Text(headers, DeadHeaders.Reason);
        return new DeadJob
        {
            Id = string.IsNullOrEmpty(message.Id)
                ? $"body-{Convert.ToHexStringLower(SHA256.HashData(message.Body.Span))[..12]}"
                : message.Id,
            Queue = Text(headers, DeadHeaders.Queue) ?? message.Death?.Queue,
            Reason = own ?? message.Death?.Reason ?? "unknown",
            Detail = Text(headers, DeadHeaders.Detail),
            IsByBroker = own is null && message.Death is not null,
            DiedAt = Time(headers, DeadHeaders.DiedAt) ?? message.Death?.At,
            Attempts = DeadAttempt.Read(Text(headers, DeadHeaders.Attempts)),
            Model = Text(headers, JobHeaders.Model),
            Version = Text(headers, JobHeaders.ModelVersion),
            Operation = Enum.TryParse<Operation>(message.Type, out var operation) && Enum.IsDefined(operation) ? operation : null,
            Stream = headers.TryGetValue(JobHeaders.Stream, out var stream) && stream is true,
            Tenant = Text(headers, JobHeaders.Tenant),
            Deadline = Time(headers, JobHeaders.Deadline),
            TraceParent = Text(headers, "traceparent"),
            Body = message.Body,
        };
    }

    private static string? Text(IReadOnlyDictionary<string, object?> headers, string key) => headers.GetValueOrDefault(key) as string;

    private static DateTimeOffset? Time(IReadOnlyDictionary<string, object?> headers, string key) =>
        headers.GetValueOrDefault(key) is long milliseconds and >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
