using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Jobs;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Dead;

/// <summary>Makes a <see cref="DeadJob"/> of a message. Never fails: what cannot be read is left out, since any message may end here.</summary>
internal static class DeadJobParser
{
    public static DeadJob Parse(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = properties.Headers ?? new Dictionary<string, object?>();
        var death = headers.TryGetValue(DeadHeaders.Deaths, out var deaths) && deaths is IList<object?> { Count: > 0 } list ? list[0] as IDictionary<string, object?> : null;
        var own = Text(headers, DeadHeaders.Reason);
        return new DeadJob
        {
            Id = string.IsNullOrEmpty(properties.MessageId) ? $"body-{Convert.ToHexStringLower(SHA256.HashData(body.Span))[..12]}" : properties.MessageId,
            Queue = Text(headers, DeadHeaders.Queue) ?? (death is null ? null : Text(death, "queue")),
            Reason = own ?? (death is null ? null : Text(death, "reason")) ?? "unknown",
            Detail = Text(headers, DeadHeaders.Detail),
            IsByBroker = own is null && death is not null,
            DiedAt = Time(headers, DeadHeaders.DiedAt) ?? (death?.TryGetValue("time", out var time) == true && time is AmqpTimestamp at ? Seconds(at) : null),
            Story = DeadAttempt.Read(Text(headers, DeadHeaders.Story)),
            Model = Text(headers, JobHeaders.Model),
            Version = Text(headers, JobHeaders.ModelVersion),
            Operation = Enum.TryParse<Operation>(properties.Type, out var operation) && Enum.IsDefined(operation) ? operation : null,
            Stream = headers.TryGetValue(JobHeaders.Stream, out var stream) && stream is true,
            Tenant = Text(headers, JobHeaders.Tenant),
            Deadline = Time(headers, JobHeaders.Deadline),
            TraceParent = Text(headers, "traceparent"),
            Body = body,
        };
    }

    private static string? Text(IDictionary<string, object?> headers, string key) => !headers.TryGetValue(key, out var value) ? null : value switch
    {
        byte[] utf8 => Encoding.UTF8.GetString(utf8),
        string text => text,
        _ => null,
    };

    private static DateTimeOffset? Time(IDictionary<string, object?> headers, string key) =>
        headers.TryGetValue(key, out var value) && value is int or long && Convert.ToInt64(value, CultureInfo.InvariantCulture) is var milliseconds
            && milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    private static DateTimeOffset? Seconds(AmqpTimestamp time) =>
        time.UnixTime >= 0 && time.UnixTime <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(time.UnixTime) : null;
}
