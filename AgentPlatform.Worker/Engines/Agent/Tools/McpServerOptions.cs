using System.ComponentModel.DataAnnotations;

namespace AgentPlatform.Worker.Engines.Agent.Tools;

/// <summary>A server of the Model Context Protocol: a program on this machine, or an address.</summary>
internal sealed class McpServerOptions : IValidatableObject
{
    /// <summary>Stands before the names of its tools.</summary>
    [Required(ErrorMessage = "Agent:McpServers:N:Name must name the server.")]
    [RegularExpression("[A-Za-z0-9_]{1,32}", ErrorMessage = "Agent:McpServers:N:Name must be up to 32 letters, digits and underscores.")]
    public string Name { get; set; } = "";

    /// <summary>The program, which speaks the protocol over its standard input and output.</summary>
    public string? Command { get; set; }

    /// <summary>Arguments of the command.</summary>
    public IList<string> Args { get; } = [];

    /// <summary>Address of a server that speaks it over HTTP.</summary>
    public Uri? Url { get; set; }

    /// <summary>Sent to <see cref="Url"/> as bearer token, if set.</summary>
    public string? ApiKey { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrEmpty(Command) == Url is null)
        {
            yield return new ValidationResult($"The server '{Name}' of Agent:McpServers must have either a Command or an Url.");
        }
        else if (Url is { IsAbsoluteUri: false } or { Scheme: not ("http" or "https") })
        {
            yield return new ValidationResult(
                $"The Url of the server '{Name}' of Agent:McpServers must be an absolute http or https address.");
        }
    }
}
