namespace AgentPlatform.AppHost.Startup;

/// <summary>The path that a chart or a manifest is published to: Aspire's switch <c>--output-path</c>.</summary>
internal static class OutputPath
{
    /// <summary>Returns the full path; without the switch, the folder that Aspire uses.</summary>
    public static string Of(IDistributedApplicationBuilder builder) =>
        Path.GetFullPath(builder.Configuration["Pipeline:OutputPath"] is { Length: > 0 } path ? path : "aspire-output");

    /// <summary>Makes sure that the path is writable, since Aspire logs the exception of a publishing step with its stack trace.</summary>
    /// <exception cref="StartupException">The path is not writable.</exception>
    public static void CheckOutputPath(this IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsPublishMode)
        {
            return;
        }

        // Missing folders are created in the nearest one that exists. For a manifest the path may be a file.
        var path = Of(builder);
        var folder = path;
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        try
        {
            File.Create(Path.Combine(folder, Path.GetRandomFileName()), bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"Nothing can be written to {path}, choose another place with --output-path: {e.Message}");
        }
    }
}
