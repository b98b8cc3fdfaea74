using System.Diagnostics;
using AgentPlatform.Inference;

namespace AgentPlatform.Messaging.Wire;

/// <summary>
/// What a job message carries beside its body, which is the client's JSON untouched. AMQP's own properties are used where they
/// fit: <c>message-id</c> is the request id, <c>type</c> the operation, <c>reply-to</c> the gateway's reply queue.
/// </summary>
internal static class JobHeaders
{
    /// <summary>Version of this contract; a worker refuses one that it does not know.</summary>
    public const int Version = 2;

    public const string ContractVersion = "x-contract";
    public const string Stream = "x-stream";

    /// <summary>
    /// The client's deadline by its gateway's clock, as a date: Unix time in milliseconds. Nobody compares it with a clock of another
    /// machine.
    /// </summary>
    public const string Deadline = "x-deadline";

    /// <summary>Milliseconds that the request had left when the message was published; missing if it has no deadline.</summary>
    public const string TimeLeft = "x-time-left";
    public const string Tenant = "x-tenant";
    public const string Model = "x-model";
    public const string ModelVersion = "x-model-version";

    /// <summary>Which message of the request it is: 0 for the first, one more for each time that its gateway issued it again.</summary>
    public const string Issue = "x-issue";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [ContractVersion, Stream, Deadline, TimeLeft, Tenant, Model, ModelVersion, Issue,
        "traceparent"];

    /// <summary>A deadline further away bounds nothing.</summary>
    public static readonly TimeSpan MostTimeLeft = TimeSpan.FromDays(1);

    /// <summary>The headers that say what a request is, with the current span as their trace.</summary>
    public static Dictionary<string, object?> Write(InferenceRequest request, string version)
    {
        var headers = new Dictionary<string, object?>
        {
            [ContractVersion] = Version,
            [Stream] = request.Stream,
            [Deadline] = request.Deadline.ToUnixTimeMilliseconds(),
            [Model] = request.Model,
            [ModelVersion] = version,
        };
        if (MillisecondsLeft(request.TimeLimit) is { } left)
        {
            headers[TimeLeft] = left;
        }

        if (request.Tenant is { } tenant)
        {
            headers[Tenant] = tenant;
        }

        DistributedContextPropagator.Current.Inject(
            Activity.Current, headers, static (carrier, key, value) => ((Dictionary<string, object?>)carrier!)[key] = value);
        return headers;
    }

    /// <summary>How a limit travels; null if there is none.</summary>
    public static long? MillisecondsLeft(TimeLimit limit) =>
        limit.IsSet ? (long)Math.Clamp(limit.Left.TotalMilliseconds, 0, MostTimeLeft.TotalMilliseconds) : null;
}
