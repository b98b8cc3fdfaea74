using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Control;

/// <summary>A message on <see cref="Broker.Topology.ControlExchange"/>; its routing key is its kind. Sample: <c>{"requestId":"0198…"}</c></summary>
/// <param name="RequestId">The request that it concerns.</param>
internal sealed record ControlMessage(Guid RequestId)
{
    /// <summary>Routing key of a cancelled request.</summary>
    public const string Cancel = "cancel";
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ControlMessage))]
internal sealed partial class ControlJsonContext : JsonSerializerContext;
