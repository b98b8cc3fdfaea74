using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// The folder of a local node. Each run creates a new one and deletes those of earlier runs; an open file locks the data folder while this
/// process runs.
/// </summary>
internal sealed class NodeFolder
{
    private readonly FileStream _lock;

    private NodeFolder(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>Full path of the folder.</summary>
    public string Path { get; }

    /// <summary>Creates the folder of this run in <paramref name="dataFolder"/>.</summary>
    /// <exception cref="StartupException">The folder is not writable, or another run uses it.</exception>
    public static NodeFolder Create(string dataFolder)
    {
        try
        {
            Directory.CreateDirectory(dataFolder);
            var file = System.IO.Path.Combine(dataFolder, "in-use");
            var @lock = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            foreach (var old in Directory.EnumerateDirectories(dataFolder, "node-*"))
            {
                Directory.Delete(old, recursive: true);
            }

            // Not the name of the previous run's folder: if that run was killed, its node may still be stopping there.
            var path = System.IO.Path.Combine(dataFolder, $"node-{Environment.ProcessId}");
            Directory.CreateDirectory(path);
            return new NodeFolder(path, @lock);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException($"Broker:DataFolder cannot be used, choose another: {e.Message}");
        }
        catch (IOException e)
        {
            throw new StartupException($"Broker:DataFolder cannot be used, stop the run that uses it or choose another: {e.Message}");
        }
    }

    /// <summary>Writes a file into the folder that only this user can read.</summary>
    public async Task WriteSecretAsync(string name, string text, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!_lock.CanWrite, this);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(System.IO.Path.Combine(Path, name), options);
        await writer.WriteAsync(text.AsMemory(), cancellationToken);
    }
}
