namespace AgentPlatform.Messaging.Jobs;

/// <summary>
/// What a job message carries beside its body, which is the client's JSON untouched. AMQP's own properties are used where they
/// fit: <c>message-id</c> is the request id, <c>type</c> the operation, <c>reply-to</c> the gateway's reply queue.
/// </summary>
internal static class JobHeaders
{
    /// <summary>Version of this contract; a worker refuses one that it does not know.</summary>
    public const int Version = 1;

    public const string ContractVersion = "x-contract";
    public const string Stream = "x-stream";

    /// <summary>Unix time in milliseconds.</summary>
    public const string Deadline = "x-deadline";
    public const string Tenant = "x-tenant";
    public const string Model = "x-model";
    public const string ModelVersion = "x-model-version";

    /// <summary>Set by quorum queues: how many deliveries failed before this one.</summary>
    public const string DeliveryCount = "x-delivery-count";
}
