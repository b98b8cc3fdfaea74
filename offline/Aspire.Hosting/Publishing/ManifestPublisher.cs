using System.Text.Json;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Publishing;

/// <summary>
/// Writes the model as aspire-manifest.json: with <c>--publisher manifest</c> to the file that <c>--output-path</c> names, with
/// <c>--operation publish --step publish-manifest</c> into that folder. Relative paths start at the current directory.
/// </summary>
internal static class ManifestPublisher
{
    private const string FileName = "aspire-manifest.json";

    public static async Task PublishAsync(PipelineStepContext context)
    {
        var output = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
        var isFile = context.Services.GetRequiredService<IConfiguration>()["Publishing:Publisher"] is not null;
        var path = isFile ? output : Path.Combine(output, FileName);
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        await using (var file = new FileStream(path, FileMode.Create))
        await using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
        {
            await new ManifestWriter(json, folder, context.ExecutionContext).WriteAsync(context.Model, context.CancellationToken);
        }

        Log.PublishedManifest(context.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ManifestPublisher).FullName!), path);
    }
}
