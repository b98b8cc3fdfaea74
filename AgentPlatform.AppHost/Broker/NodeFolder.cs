using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Folder of one local node, new for each run; what earlier runs left is deleted. Held by an open file for as long as this process lives.</summary>
internal sealed class NodeFolder
{
    private readonly FileStream _hold;

    private NodeFolder(string path, FileStream hold)
    {
        Path = path;
        _hold = hold;
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>Makes the folder of this run below <paramref name="dataFolder"/>.</summary>
    public static NodeFolder Create(string dataFolder)
    {
        try
        {
            Directory.CreateDirectory(dataFolder);
            var hold = new FileStream(System.IO.Path.Combine(dataFolder, "in-use"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            foreach (var left in Directory.EnumerateDirectories(dataFolder, "node-*"))
            {
                Directory.Delete(left, recursive: true);
            }

            // Another name than the last run's: if that one was killed, its node may still be dying in its folder.
            var path = System.IO.Path.Combine(dataFolder, $"node-{Environment.ProcessId}");
            Directory.CreateDirectory(path);
            return new NodeFolder(path, hold);
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

    /// <summary>Writes a file that only this user can read.</summary>
    public async Task WriteSecretAsync(string name, string text, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!_hold.CanWrite, this);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(System.IO.Path.Combine(Path, name), options);
        await writer.WriteAsync(text.AsMemory(), cancellationToken);
    }
}
