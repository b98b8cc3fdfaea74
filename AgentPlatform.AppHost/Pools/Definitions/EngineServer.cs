namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>A server that computes a pool's model: locally a container, in a cluster a container in each worker's pod.</summary>
/// <param name="Product">Its name for people.</param>
/// <param name="Image">Its image, without the version.</param>
/// <param name="Tag">Version of the image.</param>
/// <param name="Port">Where it listens.</param>
/// <param name="HealthPath">What answers 200 once it is ready.</param>
/// <param name="Variable">The worker's setting that gets its address.</param>
/// <param name="Path">What comes after the port in that address.</param>
internal sealed record EngineServer(string Product, string Image, string Tag, int Port, string HealthPath, string Variable, string Path)
{
    /// <summary>The program instead of the image's own.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>Arguments.</summary>
    public required IReadOnlyList<string> Args { get; init; }

    /// <summary>Arguments besides, by which a container of its own listens for others.</summary>
    public IReadOnlyList<string> OpenArgs { get; init; } = [];

    /// <summary>Arguments besides, by which it listens for its own pod only.</summary>
    public IReadOnlyList<string> LoopbackArgs { get; init; } = [];

    /// <summary>Its variables, besides the secret ones.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Variables by which it listens for its own pod only.</summary>
    public IReadOnlyDictionary<string, string> LoopbackVariables { get; init; } = new Dictionary<string, string>();

    /// <summary>A command inside its container that succeeds once it is ready, since nobody outside of the pod reaches it.</summary>
    public required IReadOnlyList<string> HealthCommand { get; init; }

    /// <summary>Folder of this repository with its model, seen as <c>/models</c>.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>Where it keeps a model that it fetches, below the home folder of its user, and the local volume for it.</summary>
    public (string Volume, string Target)? Cache { get; init; }

    /// <summary>Whether it computes with CUDA only.</summary>
    public bool NeedsGpu { get; init; }

    /// <summary>Whether its processes share tensors in /dev/shm, of which a container has 64 MB.</summary>
    public bool SharesMemory { get; init; }

    /// <summary>Variables with a secret value.</summary>
    public IReadOnlyDictionary<string, IResourceBuilder<ParameterResource>> Secrets { get; init; } = new Dictionary<string, IResourceBuilder<ParameterResource>>();
}
