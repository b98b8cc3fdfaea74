using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Weights;

/// <summary>
/// The folder of the model's files on this machine: <c>Model:Source</c> itself, or a copy in the cache of what an address holds, fetched
/// once. The copy is complete and every file has its digest before the folder is used, and again at each start.
/// </summary>
/// <remarks>Safe for concurrent use, by several processes with one cache too.</remarks>
internal sealed partial class ModelFolder(
    IOptions<WeightsOptions> options, IHostEnvironment environment, WeightsClient client, TimeProvider time, ILogger<ModelFolder> logger)
{
    private static readonly TimeSpan _lockDelay = TimeSpan.FromSeconds(1);

    private readonly WeightsOptions _options = options.Value;

    /// <summary>The folder's path, absolute; fetches the files first if need be, with progress in the log.</summary>
    /// <exception cref="WeightsException">There is no source, or its files are missing or have another digest.</exception>
    public async Task<string> GetAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(_options.Source))
        {
            throw new WeightsException("Model:Source must name the folder of the model's files, or the address of their SHA256SUMS.");
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
            throw new WeightsException($"The model cannot be written to Model:Cache ({Cache}): {e.Message}", e);
        }
    }

    private string Cache => _options.Cache is { Length: > 0 } cache
        ? Path.GetFullPath(cache, environment.ContentRootPath)
        : Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "agentplatform", "models");

    private async Task<string> FetchAsync(Uri list, string digest, CancellationToken cancellationToken)
    {
        // Named by content: another version is another folder.
        var folder = Path.Combine(Cache, digest.ToLowerInvariant());
        if (await FindAsync(folder, digest, cancellationToken) is { IsWhole: true })
        {
            return folder;
        }

        Directory.CreateDirectory(Cache);
        await using var turn = await LockAsync($"{folder}.lock", cancellationToken);
        var began = time.GetTimestamp();
        if (Directory.Exists(folder) && !await HasListAsync(folder, digest, cancellationToken))
        {
            // From a release that kept no lists, or changed by hand.
            await File.WriteAllBytesAsync(ListOf(folder), await client.ListAsync(list, digest, cancellationToken), cancellationToken);
        }

        var found = await FindAsync(folder, digest, cancellationToken);
        if (found is { IsWhole: true })
        {
            return folder;
        }

        foreach (var name in found?.Wrong ?? [])
        {
            Changed(logger, name, folder);
            File.Delete(Path.Combine(folder, name));
        }

        var bytes = await client.ListAsync(list, digest, cancellationToken);
        var target = found is null ? $"{folder}.partial" : folder;
        var room = _options.MaxSize;
        foreach (var file in ChecksumList.Parse(Encoding.UTF8.GetString(bytes)))
        {
            var path = Path.Combine(target, file.Name);
            room -= File.Exists(path)
                ? new FileInfo(path).Length
                : await client.FetchAsync(new Uri(list, EscapeName(file.Name)), file, path, room, cancellationToken);
        }

        await File.WriteAllBytesAsync(ListOf(folder), bytes, cancellationToken);
        if (target != folder)
        {
            Directory.Move(target, folder);
        }

        Fetched(logger, list, time.GetElapsedTime(began), folder);
        return folder;
    }

    // Beside the folder, which holds nothing but the model's files.
    private static string ListOf(string folder) => $"{folder}.sha256sums";

    /// <summary>
    /// What is wrong with a model in the cache: names of files that are not as its list says, or
    /// that the list does not name, which an engine would read all the same. Whoever can write
    /// to the cache could have put them there, and disks err. Null if the model is not there.
    /// </summary>
    private async Task<Findings?> FindAsync(string folder, string digest, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        var began = time.GetTimestamp();
        if (!await HasListAsync(folder, digest, cancellationToken))
        {
            return new Findings([], IsWhole: false);
        }

        var files = ChecksumList.Parse(await File.ReadAllTextAsync(ListOf(folder), cancellationToken)).ToDictionary(
            static file => file.Name, StringComparer.Ordinal);
        List<string> wrong = [];
        foreach (var name in FilesIn(folder))
        {
            if (!files.Remove(name, out var file) || !await IsAsync(Path.Combine(folder, name), file, cancellationToken))
            {
                wrong.Add(name);
                files.Remove(name);
            }
        }

        Checked(logger, folder, time.GetElapsedTime(began));
        return new Findings(wrong, IsWhole: files.Count == 0 && wrong.Count == 0);
    }

    private static async Task<bool> HasListAsync(string folder, string digest, CancellationToken cancellationToken) =>
        File.Exists(ListOf(folder))
        && Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(ListOf(folder), cancellationToken)))
            .Equals(digest, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path =>
            Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'));

    private static async Task<bool> IsAsync(string path, WeightFile file, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return await WeightsClient.DigestAsync(stream, cancellationToken) == file.Sha256;
    }

    /// <summary>
    /// Waits until no other process fetches the same model into this cache. The lock ends with the process that holds it.
    /// </summary>
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

    [LoggerMessage(LogLevel.Information, "Checked the files in {Folder} in {Elapsed}")]
    private static partial void Checked(ILogger logger, string folder, TimeSpan elapsed);

    [LoggerMessage(
        LogLevel.Warning,
        "The file {Name} in {Folder} is not as the model's list says; it is deleted, and fetched again if the list names it")]
    private static partial void Changed(ILogger logger, string name, string folder);

    [LoggerMessage(LogLevel.Information, "Another process fetches the same model; waiting for {Lock}")]
    private static partial void Waiting(ILogger logger, string @lock);

    /// <param name="Wrong">Names of files that must not be there as they are.</param>
    /// <param name="IsWhole">Whether all files are there, each as it should be, and no others.</param>
    private sealed record Findings(IReadOnlyList<string> Wrong, bool IsWhole);
}
