namespace AgentPlatform.AppHost.Startup;

/// <summary>Where <c>--output-path</c> says that a chart or a manifest is published to.</summary>
internal static class OutputPath
{
    /// <summary>Its full path; without the option, the folder that Aspire takes.</summary>
    public static string Of(IDistributedApplicationBuilder builder) =>
        Path.GetFullPath(builder.Configuration["Pipeline:OutputPath"] is { Length: > 0 } path ? path : "aspire-output");

    /// <summary>Makes sure that files can be written there, since Aspire logs what fails in a step of publishing with its whole stack.</summary>
    /// <exception cref="StartupException">They cannot.</exception>
    public static void CheckOutputPath(this IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsPublishMode)
        {
            return;
        }

        // What is to be made there is made below the folder that exists already; a manifest may be named by its file.
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
