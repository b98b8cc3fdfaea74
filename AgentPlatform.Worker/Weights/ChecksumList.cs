using System.Buffers;

namespace AgentPlatform.Worker.Weights;

/// <summary>
/// One file of a model: its name relative to the list, with <c>/</c>
/// between folders, and its SHA-256 as 64 lower-case hexadecimal digits.
/// </summary>
internal sealed record WeightFile(string Name, string Sha256);

/// <summary>
/// The files of a model as <c>sha256sum</c> writes them. One digest, that of the list, so vouches for all files:
/// <code>
/// 6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72  config.json
/// 9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0 *onnx/model.onnx
/// </code>
/// </summary>
internal static class ChecksumList
{
    private const int DigestLength = 64;

    /// <summary>Reads a list.</summary>
    /// <exception cref="FormatException">
    /// A line is none of such a list, or names a file outside of the model's folder, or one twice; the message quotes it.
    /// </exception>
    public static IReadOnlyList<WeightFile> Parse(string text)
    {
        var files = new List<WeightFile>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in text.EnumerateLines())
        {
            if (line.IsWhiteSpace())
            {
                continue;
            }

            // Digest, a space, and a space (text) or an asterisk (binary) before the name.
            if (line.Length < DigestLength + 3 || line[..DigestLength].ContainsAnyExcept(_hexDigits) || line[DigestLength] != ' '
                || line[DigestLength + 1] is not (' ' or '*'))
            {
                throw new FormatException($"'{Short(line)}' is not a line of a list of sha256sum");
            }

            var name = line[(DigestLength + 2)..].ToString();
            if (name.StartsWith("./", StringComparison.Ordinal))
            {
                name = name[2..];
            }

            if (!IsInside(name))
            {
                throw new FormatException($"'{Short(name)}' is not the name of a file below the list");
            }

            if (!names.Add(name))
            {
                throw new FormatException($"'{Short(name)}' is there twice");
            }

            files.Add(new WeightFile(name, line[..DigestLength].ToString().ToLowerInvariant()));
        }

        return files.Count > 0 ? files : throw new FormatException("it names no file");
    }

    private static readonly SearchValues<char> _hexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    private static bool IsInside(string name) =>
        !name.Contains('\\') && !name.Contains('\0') && !name.Contains(':')
            && name.Split('/').All(static part => part is not ("" or "." or ".."));

    private static string Short(ReadOnlySpan<char> text) => text.Length <= 100 ? text.ToString() : $"{text[..100]}…";
}
