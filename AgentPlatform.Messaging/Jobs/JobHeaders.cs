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
}
