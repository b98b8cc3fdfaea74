namespace AgentPlatform.Tests;

/// <summary>What the same build made of the samples.</summary>
internal static class Samples
{
    /// <summary>The assembly of a sample: bin/CONFIGURATION/FRAMEWORK, like this one.</summary>
    public static string AssemblyOf(string sample)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, "samples", sample, "bin", own.Parent!.Name, own.Name, $"{sample}.dll");
    }
}
