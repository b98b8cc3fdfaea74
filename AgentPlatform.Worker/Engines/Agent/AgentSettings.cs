using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// A client's settings for the model, as Semantic Kernel hands them
/// on: whole, where its own conversion would know only some of them.
/// </summary>
internal sealed class AgentSettings : PromptExecutionSettings
{
    private readonly IReadOnlyDictionary<string, JsonElement> _members;

    /// <param name="members">Members of the request to the model.</param>
    /// <param name="mayUseTools">Whether the model may ask for tools now.</param>
    public AgentSettings(IReadOnlyDictionary<string, JsonElement> members, bool mayUseTools)
    {
        _members = members;

        // The engine runs the tools itself, within their limits.
        FunctionChoiceBehavior = mayUseTools ? FunctionChoiceBehavior.Auto(autoInvoke: false) : FunctionChoiceBehavior.None();
    }

    /// <inheritdoc/>
    protected override void PrepareChatOptionsForRequest(ChatOptions options) =>
        options.AdditionalProperties = new AdditionalPropertiesDictionary(
            _members.Select(member => new KeyValuePair<string, object?>(member.Key, member.Value)));
}
