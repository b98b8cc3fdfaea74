using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>Makes a <see cref="ChatTokenizer"/> from a <c>tokenizer.json</c>. Kinds that it does not know are refused by name.</summary>
internal static class TokenizerReader
{
    // A pattern comes with the model; a text must not keep it busy for ever.
    private static readonly TimeSpan _longestMatch = TimeSpan.FromSeconds(1);

    /// <summary>Reads the file.</summary>
    /// <exception cref="InvalidDataException">It is missing, malformed, or of a kind that is not supported.</exception>
    public static ChatTokenizer Read(string path)
    {
        TokenizerFile file;
        try
        {
            using var stream = File.OpenRead(path);
            file = JsonSerializer.Deserialize(stream, TokenizerJson.Default.TokenizerFile) ?? throw new JsonException("it is null.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidDataException($"The tokenizer {path} cannot be read: {e.Message}", e);
        }

        try
        {
            return Make(file);
        }
        catch (Exception e) when (e is NotSupportedException or JsonException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"The tokenizer {path} cannot be used: {e.Message}", e);
        }
    }

    private static ChatTokenizer Make(TokenizerFile file)
    {
        if (file.Model.Type != "BPE")
        {
            throw new NotSupportedException($"Its model is of the kind '{file.Model.Type}', and only byte-level 'BPE' is supported.");
        }

        var cuts = new List<Regex>();
        if (!AddCuts(file.PreTokenizer, cuts))
        {
            throw new NotSupportedException(
                $"It is not byte-level (its pre_tokenizer is '{file.PreTokenizer?.Type ?? "absent"}'"
                + (file.Model.ByteFallback ? ", with byte_fallback as in SentencePiece" : "")
                + "), and only byte-level BPE is supported.");
        }

        var vocabulary = file.Model.Vocab.EnumerateObject().ToDictionary(
            token => token.Name, token => token.Value.GetInt32(), StringComparer.Ordinal);
        var bytes = new Dictionary<int, byte[]>(vocabulary.Count);
        foreach (var (token, id) in vocabulary)
        {
            // A mark that stands in the vocabulary too is not written in that alphabet.
            bytes[id] = ByteAlphabet.Decode(token) ?? Encoding.UTF8.GetBytes(token);
        }

        var pairs = new BytePairs(vocabulary, [.. file.Model.Merges.EnumerateArray().Select(Merge)]);
        return new ChatTokenizer(
            pairs, new TextCutter(cuts), bytes, file.AddedTokens,
            NormalizationOf(file.Normalizer) is { } form ? new TextNormalizer(form) : null);
    }

    // "a b" or ["a", "b"]
    private static (string Left, string Right) Merge(JsonElement merge)
    {
        string[] parts = merge.ValueKind == JsonValueKind.Array
            ? [.. merge.EnumerateArray().Select(part => part.GetString()!)]
            : merge.GetString()!.Split(' ');
        return parts is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw new JsonException($"its merge {merge.GetRawText()} is not a pair.");
    }

    /// <summary>Adds the patterns of a step; whether it makes text into bytes.</summary>
    private static bool AddCuts(TokenizerStep? step, List<Regex> cuts)
    {
        switch (step)
        {
            case null:
                return false;
            case { Type: "Sequence", PreTokenizers: { } steps }:
                return steps.Aggregate(false, (isByteLevel, part) => AddCuts(part, cuts) || isByteLevel);
            case { Type: "ByteLevel", AddPrefixSpace: true }:
                throw new NotSupportedException("Its pre_tokenizer 'ByteLevel' has add_prefix_space, which is not supported.");
            case { Type: "ByteLevel" }:
                cuts.AddRange(step.UseRegex ? [TextCutter.ByteLevel] : []);
                return true;
            case { Type: "Digits" }:
                cuts.Add(step.IndividualDigits ? TextCutter.Digit : TextCutter.Digits);
                return false;
            case { Type: "Split", Behavior: "Isolated", Pattern: { } pattern }:
                cuts.Add(new Regex(
                    pattern.Regex ?? Regex.Escape(pattern.String ?? ""), RegexOptions.CultureInvariant | RegexOptions.Compiled,
                    _longestMatch));
                return false;

            // Whatever lies between the matches is what is cut out, and so is a match: isolated, said the other way round.
            case { Type: "Split", Behavior: "Removed", Invert: true, Pattern.Regex: { } regex }:
                cuts.Add(new Regex(regex, RegexOptions.CultureInvariant | RegexOptions.Compiled, _longestMatch));
                return false;
            default:
                throw new NotSupportedException(
                    $"Its pre_tokenizer '{step.Type}'"
                    + (step.Behavior is { } behavior ? $" with behavior '{behavior}'" : "")
                    + " is not supported.");
        }
    }

    private static NormalizationForm? NormalizationOf(TokenizerStep? step) => step switch
    {
        null or { Type: "Sequence", Normalizers.Length: 0 } => null,
        { Type: "Sequence", Normalizers: [var only] } => NormalizationOf(only),
        { Type: "NFC" } => NormalizationForm.FormC,
        { Type: "NFD" } => NormalizationForm.FormD,
        { Type: "NFKC" } => NormalizationForm.FormKC,
        { Type: "NFKD" } => NormalizationForm.FormKD,
        _ => throw new NotSupportedException($"Its normalizer '{step.Type}' is not supported."),
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TokenizerFile))]
internal sealed partial class TokenizerJson : JsonSerializerContext;
