using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Onnx;

/// <summary>Where ONNX Runtime computes; configuration section <c>Onnx</c>, for all engines on it.</summary>
internal sealed class OnnxOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Onnx";

    /// <summary><c>cpu</c>, or <c>cuda</c> where the worker is built with ONNX Runtime's package for GPUs.</summary>
    [RegularExpression("cpu|cuda", ErrorMessage = "Onnx:ExecutionProvider must be 'cpu' or 'cuda'.")]
    public string ExecutionProvider { get; set; } = "cpu";

    /// <summary>Which GPU.</summary>
    [Range(0, 255)]
    public int DeviceId { get; set; }

    /// <summary>Threads that share one computation; the engine's own default if unset.</summary>
    [Range(1, 1024)]
    public int? IntraOpThreads { get; set; }
}

[OptionsValidator]
internal sealed partial class OnnxOptionsValidator : IValidateOptions<OnnxOptions>;
