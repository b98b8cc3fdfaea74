using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Testing.Engines;

/// <summary>
/// Makes a worker's engine one that kills the process at the first part of the answer to a request whose body holds a text, as a request
/// may that a GPU's driver cannot bear.
/// </summary>
public sealed class CrashExtension : IWorkerExtension
{
    private const string Key = "CrashOn";

    /// <summary>The settings of a worker that crashes on a text, by key.</summary>
    public static IReadOnlyDictionary<string, string> Settings(string text) => new Dictionary<string, string>
    {
        ["Extensions:0"] = typeof(CrashExtension).Assembly.Location,
        [Key] = text,
    };

    /// <inheritdoc/>
    public void AddTo(IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var text = Encoding.UTF8.GetBytes(builder.Configuration[Key]!);
        var engine = builder.Services.Last(static service => service.ServiceType == typeof(IEngine));
        builder.Services.AddSingleton<IEngine>(services => new CrashingEngine(
            (IEngine)ActivatorUtilities.CreateInstance(services, engine.ImplementationType!), text));
    }

    private sealed class CrashingEngine(IEngine engine, byte[] text) : IEngine
    {
        public EngineTraits Traits => engine.Traits;

        public Task LoadAsync(CancellationToken cancellationToken) => engine.LoadAsync(cancellationToken);

        public Task WarmUpAsync(CancellationToken cancellationToken) => engine.WarmUpAsync(cancellationToken);

        public async IAsyncEnumerable<ReplyPart> RunAsync(
            InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var part in engine.RunAsync(request, cancellationToken))
            {
                if (request.Body.Span.IndexOf(text) >= 0)
                {
                    Environment.FailFast($"The request holds the text of {Key}.");
                }

                yield return part;
            }
        }
    }
}
