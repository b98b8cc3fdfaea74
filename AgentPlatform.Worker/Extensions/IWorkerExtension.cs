namespace AgentPlatform.Worker.Extensions;

/// <summary>
/// Adds services to a worker from an assembly that the setting <c>Extensions</c> names, such as the plugins of an agent. A public class
/// that implements it needs a constructor without parameters.
/// </summary>
public interface IWorkerExtension
{
    /// <summary>Registers services when the worker has registered its own. Called once, while the worker starts.</summary>
    /// <param name="builder">The worker; its configuration has all settings.</param>
    void AddTo(IHostApplicationBuilder builder);
}
