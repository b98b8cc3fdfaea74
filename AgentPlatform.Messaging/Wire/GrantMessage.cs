using System.Text.Json.Serialization;

namespace AgentPlatform.Messaging.Wire;

/// <summary>
/// A gateway's answer to a worker's claim, on the control exchange with the routing key <c>resume.WORKER</c>.
/// Sample: <c>{"requestId":"0198…","claim":"…","attempt":2,"parts":17,"trail":"AAEC…","alone":false,"timeLeft":28000}</c>
/// </summary>
/// <param name="RequestId">The request.</param>
/// <param name="Claim">The question that it answers.</param>
/// <param name="Attempt">The number of the worker's run; null if the worker is to drop the job.</param>
/// <param name="Parts">How many parts of the answer there are.</param>
/// <param name="ResumeState">Their resume states, one behind the other.</param>
/// <param name="Alone">Whether it must share its engine with nobody until its first new part.</param>
/// <param name="TimeLeft">Milliseconds that the request has left; null if it has no deadline.</param>
internal sealed record GrantMessage(Guid RequestId, Guid Claim, ushort? Attempt, uint Parts,
    [property: JsonPropertyName("trail")] byte[] ResumeState, bool Alone, long? TimeLeft = null)
{
    /// <summary>The request is over, or another message of it is being worked on.</summary>
    public static GrantMessage Refuse(Guid requestId, Guid claim) => new(requestId, claim, null, 0, [], false);

    /// <summary>The routing key for one worker.</summary>
    public static string RoutingKey(string worker) => $"resume.{worker}";
}
