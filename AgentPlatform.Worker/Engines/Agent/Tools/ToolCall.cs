namespace AgentPlatform.Worker.Engines.Agent.Tools;

/// <summary>A call of a tool that the model asks for.</summary>
/// <param name="Id">The model's name of the call.</param>
/// <param name="Function">The tool's name.</param>
/// <param name="Arguments">A JSON object as text; null if the model gave none. The tool then reports what it lacks.</param>
internal sealed record ToolCall(string Id, string Function, string? Arguments);
