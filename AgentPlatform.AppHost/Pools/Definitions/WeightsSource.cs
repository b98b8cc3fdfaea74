namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>Where the workers of a published pool, or the server beside them, have their model from.</summary>
internal enum WeightsSource
{
    /// <summary>The image, or the server fetches it itself.</summary>
    Image,

    /// <summary>A PersistentVolumeClaim with the files in it.</summary>
    Claim,

    /// <summary>An OCI image with nothing but the files, mounted as a volume (Kubernetes 1.35, or 1.31 with the feature gate ImageVolume).</summary>
    OciImage,

    /// <summary>An address, checked by a digest and fetched by the worker.</summary>
    Download,
}
