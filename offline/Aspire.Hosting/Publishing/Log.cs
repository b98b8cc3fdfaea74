using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal static partial class Log
{
    [LoggerMessage(30, LogLevel.Information, "Published manifest to: {Path}")]
    public static partial void PublishedManifest(ILogger logger, string path);
}
