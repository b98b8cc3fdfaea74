using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>What the scores of a classifier are.</summary>
internal enum TritonScores
{
    /// <summary>Scores are positive and add up to 1.</summary>
    Probabilities,

    /// <summary>Scores become probabilities by a softmax.</summary>
    Logits,
}

/// <summary>How a chat becomes the one text that a generating model takes.</summary>
internal enum TritonPromptFormat
{
    /// <summary>A lone message of the user as it is; several as <c>User: …</c>, <c>Assistant: …</c> line by line.</summary>
    Plain,

    /// <summary><c>&lt;|im_start|&gt;user … &lt;|im_end|&gt;</c>, as many instruction-tuned models were trained.</summary>
    ChatML,

    /// <summary>The request's <c>messages</c> as JSON, for models on the server that apply their template themselves.</summary>
    Messages,
}

/// <summary>
/// A model on a server that speaks the Open Inference Protocol (KServe v2), such as Triton; configuration section <c>Triton</c>.
/// </summary>
internal sealed class TritonOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Triton";

    private const string Mistake = "Triton:Endpoint must be the server's base address, such as http://localhost:8000.";

    /// <summary>The server's base address, such as <c>http://localhost:8000</c>; <c>/v2</c> is put behind it.</summary>
    [Required(ErrorMessage = Mistake)]
    [RegularExpression("https?://.+", ErrorMessage = Mistake)]
    public string Endpoint { get; set; } = "";

    /// <summary>Sent as bearer token, for servers behind a proxy that asks for one.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The model's name there; the platform's name of the model if unset.</summary>
    public string? ModelName { get; set; }

    /// <summary>The model's version there; the server chooses if unset.</summary>
    public string? ModelVersion { get; set; }

    /// <summary>The tensor that takes the text; found in the model's metadata if unset.</summary>
    public string? Input { get; set; }

    /// <summary>The tensor with the scores or the answer's text; found in the model's metadata if unset.</summary>
    public string? Output { get; set; }

    /// <summary>The labels of a classifier's scores, in their order. With labels the model classifies, without it chats.</summary>
    public IList<string> Labels { get; } = [];

    /// <summary>What a classifier's scores are.</summary>
    [EnumDataType(typeof(TritonScores), ErrorMessage = "Triton:Scores must be Probabilities or Logits.")]
    public TritonScores Scores { get; set; } = TritonScores.Probabilities;

    /// <summary>How long one call with a batch of texts may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan BatchTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How a chat becomes the text that a generating model takes.</summary>
    [EnumDataType(typeof(TritonPromptFormat), ErrorMessage = "Triton:Prompt must be Plain, ChatML or Messages.")]
    public TritonPromptFormat Prompt { get; set; } = TritonPromptFormat.Plain;

    /// <summary>
    /// Most tokens of an answer whose request does not say, for models
    /// that take such a limit; the server's own default is often 16.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxTokens { get; set; } = 512;
}

[OptionsValidator]
internal sealed partial class TritonOptionsValidator : IValidateOptions<TritonOptions>;
