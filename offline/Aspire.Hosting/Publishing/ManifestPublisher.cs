using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Publishing;

/// <summary>
/// Writes the model as aspire-manifest.json: with <c>--publisher manifest</c> to the file that <c>--output-path</c> names, with
/// <c>--operation publish --step publish-manifest</c> into that folder. Relative paths start at the current directory.
/// </summary>
internal sealed class ManifestPublisher(
    IConfiguration configuration, DistributedApplicationExecutionContext executionContext, ILogger<ManifestPublisher> logger) : IPublisher
{
    private const string FileName = "aspire-manifest.json";
    private const string Step = "publish-manifest";

    public async Task PublishAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        var path = OutputPath();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var file = new FileStream(path, FileMode.Create))
        await using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
        {
            await new ManifestWriter(json, Path.GetDirectoryName(path)!, executionContext).WriteAsync(model, cancellationToken);
        }

        Log.PublishedManifest(logger, path);
    }

    private string OutputPath()
    {
        var isManifest = string.Equals(configuration["Publishing:Publisher"], "manifest", StringComparison.OrdinalIgnoreCase);
        if (!isManifest && !string.Equals(configuration["Pipeline:Step"], Step, StringComparison.OrdinalIgnoreCase))
        {
            throw new DistributedApplicationException($"Only the manifest can be published here: pass '--publisher manifest' or '--step {Step}'.");
        }

        var output = configuration["Publishing:OutputPath"] is { Length: > 0 } set
            ? Path.GetFullPath(set)
            : throw new DistributedApplicationException("Say where to publish to with '--output-path'.");
        return isManifest ? output : Path.Combine(output, FileName);
    }
}
