using AgentPlatform.Worker.Engines;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Weights;

/// <summary>
/// The folder of the model's files on this machine: <c>Model:Source</c> itself, or a copy in the cache of what an address holds, fetched
/// once. The copy is complete and every file of it has its digest before anybody sees it.
/// </summary>
/// <remarks>Safe for concurrent use, by several processes with one cache too.</remarks>
internal sealed partial class ModelFolder(
    IOptions<ModelOptions> options, IHostEnvironment environment, WeightsClient client, TimeProvider time, ILogger<ModelFolder> logger)
{
    private static readonly TimeSpan _lockDelay = TimeSpan.FromSeconds(1);

    private readonly ModelOptions _options = options.Value;

    /// <summary>The folder's path, absolute; fetches the files first if need be, with progress in the log.</summary>
    /// <exception cref="EngineLoadException">There is no source, or its files cannot be had as they were promised.</exception>
    public async Task<string> GetAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(_options.Source))
        {
            throw new EngineLoadException("Model:Source must name the folder of the model's files, or the address of their SHA256SUMS.");
        }

        if (!_options.IsAddress)
        {
            return Path.GetFullPath(_options.Source, environment.ContentRootPath);
        }

        try
        {
            return await FetchAsync(new Uri(_options.Source), _options.Sha256!, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineLoadException($"The model cannot be written to Model:Cache ({Cache}): {e.Message}", e);
        }
    }

    private string Cache => _options.Cache is { Length: > 0 } cache
        ? Path.GetFullPath(cache, environment.ContentRootPath)
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "agentplatform", "models");

    private async Task<string> FetchAsync(Uri list, string digest, CancellationToken cancellationToken)
    {
        // Named by content: another version is another folder, and what is there was checked.
        var folder = Path.Combine(Cache, digest.ToLowerInvariant());
        if (Directory.Exists(folder))
        {
            return folder;
        }

        Directory.CreateDirectory(Cache);
        await using var turn = await LockAsync($"{folder}.lock", cancellationToken);
        if (Directory.Exists(folder))
        {
            return folder;
        }

        var partial = $"{folder}.partial";
        var began = time.GetTimestamp();
        foreach (var file in await client.ListAsync(list, digest, cancellationToken))
        {
            var path = Path.Combine(partial, file.Name);
            if (!File.Exists(path))
            {
                await client.FetchAsync(new Uri(list, EscapeName(file.Name)), file, path, cancellationToken);
            }
        }

        Directory.Move(partial, folder);
        Fetched(logger, list, time.GetElapsedTime(began), folder);
        return folder;
    }

    /// <summary>Waits until no other process fetches the same model into this cache. The lock ends with the process that holds it.</summary>
    private async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.GetType() == typeof(IOException))
            {
                // Not found, too long and others are types of their own; this is the sharing violation.
                if (isFirst)
                {
                    Waiting(logger, path);
                }

                await Task.Delay(_lockDelay, time, cancellationToken);
            }
        }
    }

    private static string EscapeName(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    [LoggerMessage(LogLevel.Information, "Fetched {Source} in {Elapsed} to {Folder}")]
    private static partial void Fetched(ILogger logger, Uri source, TimeSpan elapsed, string folder);

    [LoggerMessage(LogLevel.Information, "Another process fetches the same model; waiting for {Lock}")]
    private static partial void Waiting(ILogger logger, string @lock);
}
