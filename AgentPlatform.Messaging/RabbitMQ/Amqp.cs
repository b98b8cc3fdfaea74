using System.Globalization;
using System.Text;
using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Writes and reads the properties of AMQP messages.</summary>
internal static class Amqp
{
    /// <summary>
    /// Set by RabbitMQ on a message that it dead-lettered itself: a list of tables with <c>reason</c>, <c>queue</c> and <c>time</c>, the
    /// latest first.
    /// </summary>
    private const string Deaths = "x-death";

    /// <summary>
    /// Whether a call failed since its channel or connection is closed. What was not confirmed may have been done or not.
    /// </summary>
    public static bool IsGone(Exception e) =>
        e is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException;

    /// <summary>The properties of a message that must survive the broker's restart.</summary>
    public static BasicProperties Properties(BrokerMessage message, bool canExpire = true) => new()
    {
        Persistent = true,
        ContentType = "application/json",
        MessageId = message.Id,
        Type = message.Type,
        ReplyTo = message.ReplyTo,
        Expiration = canExpire ? Expiration(message.Expiration) : null,
        Headers = message.Headers.ToDictionary(static header => header.Key, static header => header.Value),
    };

    /// <summary>A message as it came.</summary>
    /// <param name="properties">Its properties.</param>
    /// <param name="body">Its body, which the message keeps.</param>
    public static BrokerMessage Message(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = properties.Headers ?? new Dictionary<string, object?>();
        return new BrokerMessage
        {
            Id = properties.MessageId,
            Type = properties.Type,
            ReplyTo = properties.ReplyTo,
            Headers = headers.Where(static header => header.Key != Deaths)
                .ToDictionary(static header => header.Key, static header => Value(header.Value)),
            Body = body,
            Death = headers.TryGetValue(Deaths, out var deaths) && deaths is IList<object?> { Count: > 0 } list
                && list[0] is IDictionary<string, object?> death
                ? new BrokerDeath(Text(death, "reason"), Text(death, "queue"), death.TryGetValue("time", out var time)
                    && time is AmqpTimestamp at ? Time(at) : null)
                : null,
        };
    }

    // Other types than those of our own messages, such as tables, are their names: nobody here reads them.
    private static object? Value(object? value) => value switch
    {
        null or bool or string or long => value,
        byte[] utf8 => Encoding.UTF8.GetString(utf8),
        int or short or byte or sbyte or ushort or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        _ => new UnreadableHeader(value.GetType().Name),
    };

    private static string? Text(IDictionary<string, object?> table, string key) =>
        table.TryGetValue(key, out var value) ? Value(value) as string : null;

    private static DateTimeOffset? Time(AmqpTimestamp time) =>
        time.UnixTime >= 0 && time.UnixTime <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)
            : null;

    // Milliseconds that the broker counts by itself, from when it has the message; null beyond the 32 bits that it takes.
    private static string? Expiration(TimeSpan? after) =>
        after is { } time && Math.Max(0, Math.Ceiling(time.TotalMilliseconds)) is var milliseconds && milliseconds <= uint.MaxValue
            ? milliseconds.ToString(CultureInfo.InvariantCulture)
            : null;

    /// <summary>A header of a type that no message of ours has.</summary>
    private sealed record UnreadableHeader(string Type)
    {
        public override string ToString() => Type;
    }
}
