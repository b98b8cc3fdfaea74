using System.Diagnostics;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Messaging.Jobs;

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

    /// <summary>Unix time in milliseconds.</summary>
    public const string Deadline = "x-deadline";
    public const string Tenant = "x-tenant";
    public const string Model = "x-model";
    public const string ModelVersion = "x-model-version";

    /// <summary>Which message of the request it is: 0 for the first, one more for each time that its gateway issued it again.</summary>
    public const string Issue = "x-issue";

    /// <summary>The headers that say what a request is, with the current span as their trace.</summary>
    public static Dictionary<string, object?> Describe(InferenceRequest request, string version)
    {
        var headers = new Dictionary<string, object?>
        {
            [ContractVersion] = Version,
            [Stream] = request.Stream,
            [Deadline] = request.Deadline.ToUnixTimeMilliseconds(),
            [Model] = request.Model,
            [ModelVersion] = version,
        };
        if (request.Tenant is { } tenant)
        {
            headers[Tenant] = tenant;
        }

        DistributedContextPropagator.Current.Inject(
            Activity.Current, headers, static (carrier, key, value) => ((Dictionary<string, object?>)carrier!)[key] = value);
        return headers;
    }
}
