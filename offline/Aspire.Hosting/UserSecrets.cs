using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration.UserSecrets;

namespace Aspire.Hosting;

/// <summary>The user secrets of the application host: a JSON file under the user's home.</summary>
internal static class UserSecrets
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <summary>Adds a value; does nothing when the application host has no UserSecretsId.</summary>
    public static void Keep(string key, string value)
    {
        if (Assembly.GetEntryAssembly()?.GetCustomAttribute<UserSecretsIdAttribute>() is not { } attribute)
        {
            return;
        }

        var path = PathHelper.GetSecretsPathFromSecretsId(attribute.UserSecretsId);
        var secrets = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? [] : [];
        secrets[key] = value;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // Moved into place whole: another application host may read at the same time.
        var written = $"{path}.{Environment.ProcessId}";
        using (var file = new FileStream(written, OwnerOnly()))
        {
            JsonSerializer.Serialize(file, secrets, _indented);
        }

        File.Move(written, path, overwrite: true);
    }

    private static FileStreamOptions OwnerOnly()
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
