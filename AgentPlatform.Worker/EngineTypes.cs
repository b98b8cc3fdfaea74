using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Agent;
using AgentPlatform.Worker.Engines.Classifier;
using AgentPlatform.Worker.Engines.OnnxChat;
using AgentPlatform.Worker.Engines.OpenAI;
using AgentPlatform.Worker.Engines.Simulated;
using AgentPlatform.Worker.Engines.Triton;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker;

/// <summary>
/// The engines that <c>Engine:Type</c> can name. To add one, write a class that is an <see cref="IEngine"/>, with an <c>AddTo</c> that
/// registers it and its options, and name it here.
/// </summary>
internal static class EngineTypes
{
    private static readonly SortedDictionary<string, Action<IServiceCollection>> _known = new(StringComparer.Ordinal)
    {
        ["onnx-chat"] = OnnxChatEngine.AddTo,
        ["onnx-classifier"] = ClassifierEngine.AddTo,
        ["openai"] = OpenAIEngine.AddTo,
        ["simulated"] = SimulatedEngine.AddTo,
        ["triton"] = TritonEngine.AddTo,
    };

    // Engines that need more than services, such as a connection to the broker.
    private static readonly SortedDictionary<string, Action<IHostApplicationBuilder>> _connected = new(StringComparer.Ordinal)
    {
        ["agent"] = AgentEngine.AddTo,
    };

    /// <summary>Registers the engine of that name.</summary>
    /// <exception cref="OptionsValidationException">There is none.</exception>
    public static void AddTo(IHostApplicationBuilder builder, string? type)
    {
        if (type is not null && _connected.TryGetValue(type, out var connect))
        {
            connect(builder);
        }
        else if (type is not null && _known.TryGetValue(type, out var addTo))
        {
            addTo(builder.Services);
        }
        else
        {
            throw new OptionsValidationException(EngineOptions.Section, typeof(EngineOptions),
                [$"Engine:Type is '{type}'; it must be one of '{string.Join("', '", _known.Keys.Concat(_connected.Keys).Order(StringComparer.Ordinal))}'."]);
        }
    }
}
