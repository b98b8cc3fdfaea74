using System.Text.Json;

namespace AgentPlatform.Inference.Json;

/// <summary>The members of an object as every reader of it is to see them.</summary>
public static class JsonMembers
{
    /// <summary>Each name once: of one that occurs twice the last value counts, as it does where members are looked up by name.</summary>
    public static IEnumerable<JsonProperty> LastOfEach(this JsonElement value) =>
        value.EnumerateObject().Reverse().DistinctBy(static member => member.Name).Reverse();
}
