namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>A server that runs a pool's model: locally a container, in a cluster a container in each worker's pod.</summary>
/// <param name="Product">Display name of the server.</param>
/// <param name="Image">Container image, without the tag.</param>
/// <param name="Tag">Tag of the image.</param>
/// <param name="Port">Port that the server listens on.</param>
/// <param name="HealthPath">Path that returns 200 once the server is ready.</param>
/// <param name="Variable">Environment variable of the worker for the server's address.</param>
/// <param name="Path">Path of that address.</param>
internal sealed record EngineServer(string Product, string Image, string Tag, int Port, string HealthPath, string Variable, string Path)
{
    /// <summary>Program to start instead of the image's entrypoint.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>Command-line arguments.</summary>
    public required IReadOnlyList<string> Args { get; init; }

    /// <summary>Additional arguments with which it listens on all interfaces, for a container of its own.</summary>
    public IReadOnlyList<string> AllInterfacesArgs { get; init; } = [];

    /// <summary>Additional arguments with which it listens on the loopback interface, for a container in the worker's pod.</summary>
    public IReadOnlyList<string> LoopbackArgs { get; init; } = [];

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Additional variables with which it listens on the loopback interface, for a container in the worker's pod.</summary>
    public IReadOnlyDictionary<string, string> LoopbackVariables { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Command inside the container that succeeds once the server is ready, since it cannot be reached from outside of the pod.
    /// </summary>
    public required IReadOnlyList<string> HealthCommand { get; init; }

    /// <summary>Folder of this repository with the model, which is mounted as <c>/models</c>.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>Name of the local volume for models that it downloads, and the folder for them below its user's home folder.</summary>
    public (string Volume, string Target)? Cache { get; init; }

    /// <summary>Whether it requires CUDA.</summary>
    public bool NeedsGpu { get; init; }

    /// <summary>Whether its processes share tensors in /dev/shm, for which the default of 64 MB is too small.</summary>
    public bool SharesMemory { get; init; }

    /// <summary>Environment variables with secret values.</summary>
    public IReadOnlyDictionary<string, IResourceBuilder<ParameterResource>> Secrets { get; init; } =
        new Dictionary<string, IResourceBuilder<ParameterResource>>();
}
