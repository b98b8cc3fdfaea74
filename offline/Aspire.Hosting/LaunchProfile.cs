using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aspire.Hosting;

/// <summary>A profile of a project's Properties/launchSettings.json.</summary>
internal sealed record LaunchProfile(string Name, IReadOnlyList<LaunchUrl> Urls, IReadOnlyDictionary<string, string> Environment)
{
    private static readonly JsonDocumentOptions _lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The profile <paramref name="preferred"/> if the project has it, else its first one that starts the project; null without any.</summary>
    public static LaunchProfile? Of(string projectPath, string? preferred)
    {
        var profiles = All(projectPath);
        return profiles.FirstOrDefault(profile => profile.Name == preferred) ?? profiles.FirstOrDefault();
    }

    /// <summary>The profile of that name; throws when the project has none.</summary>
    public static LaunchProfile Named(string projectPath, string name) =>
        All(projectPath).FirstOrDefault(profile => profile.Name == name)
        ?? throw new InvalidOperationException($"The project '{projectPath}' has no launch profile '{name}'.");

    private static List<LaunchProfile> All(string projectPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(projectPath)!, "Properties", "launchSettings.json");
        if (!File.Exists(path) || JsonNode.Parse(File.ReadAllText(path), documentOptions: _lenient)?["profiles"] is not JsonObject profiles)
        {
            return [];
        }

        return [.. profiles.Where(profile => (string?)profile.Value?["commandName"] == "Project").Select(profile => new LaunchProfile(
            profile.Key,
            [.. ((string?)profile.Value!["applicationUrl"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(LaunchUrl.Parse)],
            (profile.Value["environmentVariables"] as JsonObject)?.ToDictionary(variable => variable.Key, variable => (string?)variable.Value ?? "") ?? []))];
    }
}

/// <summary>An address to listen on, like <c>http://localhost:5201</c> or <c>http://*:8080</c>.</summary>
internal sealed record LaunchUrl(string Scheme, string Host, int? Port)
{
    public static LaunchUrl Parse(string url)
    {
        var scheme = url[..url.IndexOf("://", StringComparison.Ordinal)];
        var authority = url[(scheme.Length + 3)..].TrimEnd('/');
        var colon = authority.LastIndexOf(':');
        return colon > authority.LastIndexOf(']') && int.TryParse(authority[(colon + 1)..], out var port)
            ? new LaunchUrl(scheme, authority[..colon], port == 0 ? null : port)
            : new LaunchUrl(scheme, authority, null);
    }
}
