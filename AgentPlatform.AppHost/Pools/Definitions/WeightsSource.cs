namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>Where the workers of a published pool, or the server beside them, get their model from.</summary>
internal enum WeightsSource
{
    /// <summary>The container image, or a download by the server itself.</summary>
    Image,

    /// <summary>A PersistentVolumeClaim that contains the files.</summary>
    Claim,

    /// <summary>
    /// An OCI image that contains only the files, mounted as a volume (Kubernetes 1.35, or 1.31 with the feature gate ImageVolume).
    /// </summary>
    OciImage,

    /// <summary>A download by the worker, verified by a digest.</summary>
    Download,
}
