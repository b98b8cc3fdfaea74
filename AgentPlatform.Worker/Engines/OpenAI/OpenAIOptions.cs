using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.OpenAI;

/// <summary>The server that computes the answers: vLLM, llama.cpp, Ollama, NIM, OpenAI; configuration section <c>OpenAI</c>.</summary>
internal sealed class OpenAIOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "OpenAI";

    private const string Mistake = "OpenAI:Endpoint must be the server's base address with the version, such as http://localhost:8000/v1.";

    /// <summary>Its base address with the version, such as <c>http://localhost:8000/v1</c>.</summary>
    [Required(ErrorMessage = Mistake)]
    [RegularExpression("https?://.+", ErrorMessage = Mistake)]
    public string Endpoint { get; set; } = "";

    /// <summary>The key that it asks for, if any.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The model's name there; the platform's name of the model if unset.</summary>
    public string? UpstreamModel { get; set; }
}

[OptionsValidator]
internal sealed partial class OpenAIOptionsValidator : IValidateOptions<OpenAIOptions>;
