namespace AgentPlatform.Api.Connections;

/// <summary>A response whose end can be left out, so that no client takes what it has for the whole.</summary>
internal interface ITruncationFeature
{
    /// <summary>Sends what is flushed and then ends, without what would mark the response as complete.</summary>
    void Truncate();
}
