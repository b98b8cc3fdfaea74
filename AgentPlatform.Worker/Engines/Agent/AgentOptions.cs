using System.ComponentModel.DataAnnotations;
using AgentPlatform.Worker.Engines.Agent.Tools;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>What the agent is told, which tools it has and how far it may go; configuration section <c>Agent</c>.</summary>
internal sealed class AgentOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Agent";

    /// <summary>The system message of every conversation.</summary>
    public string? Instructions { get; set; }

    /// <summary>A file with more of them, relative to the content root.</summary>
    public string? InstructionsFile { get; set; }

    /// <summary>Its plugins: names of <see cref="AgentPlugins"/>, or classes as <c>Namespace.Class, Assembly</c>.</summary>
    public IList<string> Plugins { get; } = [];

    /// <summary>Servers whose tools it has.</summary>
    [ValidateEnumeratedItems]
    public IList<McpServerOptions> McpServers { get; } = [];

    /// <summary>How often the model may ask for tools in one request; then it must answer with what it knows.</summary>
    [Range(0, 1000)]
    public int MaxRounds { get; set; } = 8;

    /// <summary>How long one request may take, tools included.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:29:00")]
    public TimeSpan MaxTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>After how many tokens of one request, prompts and answers of all rounds together, no further round begins.</summary>
    [Range(1, int.MaxValue)]
    public int MaxTokens { get; set; } = 100_000;

    /// <summary>How many tools the model may ask for at once; with more the request ends.</summary>
    [Range(1, 10_000)]
    public int MaxToolCalls { get; set; } = 128;

    /// <summary>Most characters of a tool's result; of a longer one the model is told only that it is too long.</summary>
    [Range(1_000, 100_000_000)]
    public int MaxToolResult { get; set; } = 1_000_000;

    /// <summary>How long one call of a tool may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:29:00")]
    public TimeSpan ToolTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class AgentOptionsValidator : IValidateOptions<AgentOptions>;
