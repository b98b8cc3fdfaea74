namespace AgentPlatform.Tests.AppHost;

/// <summary>The committed manifest is the one that the application host generates.</summary>
public class ManifestTests
{
    private const string Accept = "dotnet run --project AgentPlatform.AppHost -- --publisher manifest --output-path aspire-manifest.json";

    [Fact]
    public async Task Manifest_MadeAnew_IsTheCommittedOne()
    {
        var made = Path.Combine(PlatformProcess.Root, $"manifest-{Guid.NewGuid():N}.json");
        try
        {
            await using var platform = PlatformProcess.Start("--publisher", "manifest", "--output-path", made);
            Assert.True(await platform.EndAsync() == 0, platform.Output);

            // Paths in a manifest are relative to its folder, so it is generated beside the committed one.
            var committed = await File.ReadAllTextAsync(Path.Combine(PlatformProcess.Root, "aspire-manifest.json"));
            Assert.True(
                committed == await File.ReadAllTextAsync(made), $"aspire-manifest.json is out of date. Accept the change with: {Accept}");
        }
        finally
        {
            File.Delete(made);
        }
    }

    [Fact]
    public async Task Manifest_AsStepOfPublish_GoesIntoTheFolder()
    {
        var folder = Directory.CreateTempSubdirectory("agentplatform-manifest-");
        try
        {
            await using var platform = PlatformProcess.Start(
                "--operation", "publish", "--step", "publish-manifest", "--output-path", folder.FullName);
            Assert.True(await platform.EndAsync() == 0, platform.Output);

            Assert.True(File.Exists(Path.Combine(folder.FullName, "aspire-manifest.json")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
