using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Wire;

/// <summary>Nobody waits for a request's answer any more, on the control exchange. Sample: <c>{"requestId":"0198…"}</c></summary>
/// <param name="RequestId">The request that it concerns.</param>
/// <param name="Attempt">The newest run that is to end; null for all of them.</param>
internal sealed record CancelMessage(Guid RequestId, ushort? Attempt = null)
{
    /// <summary>Routing key of the message in the control exchange.</summary>
    public const string RoutingKey = "cancel";
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CancelMessage))]
[JsonSerializable(typeof(GrantMessage))]
internal sealed partial class ControlJsonContext : JsonSerializerContext;
