using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// What is read of a <c>tokenizer.json</c> (https://huggingface.co/docs/tokenizers):
/// <c>{"added_tokens":[{"id":0,"content":"&lt;|im_end|&gt;","special":true}],"normalizer":null,
/// "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
/// "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":1},"merges":["a b"]}}</c>
/// </summary>
internal sealed record TokenizerFile
{
    [JsonPropertyName("added_tokens")]
    public AddedToken[] AddedTokens { get; init; } = [];

    public TokenizerStep? Normalizer { get; init; }

    [JsonPropertyName("pre_tokenizer")]
    public TokenizerStep? PreTokenizer { get; init; }

    public TokenizerStep? Decoder { get; init; }

    [JsonRequired]
    public required TokenizerModel Model { get; init; }
}

/// <summary>A token that is found in the text before anything else is done with it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether it is a mark, and not part of an answer's text.</param>
internal sealed record AddedToken(int Id, string Content, bool Special = false);

/// <summary>A step of normalizing, cutting or decoding; each type uses some of the members.</summary>
internal sealed record TokenizerStep
{
    [JsonRequired]
    public required string Type { get; init; }

    public TokenizerStep[]? Normalizers { get; init; }

    [JsonPropertyName("pretokenizers")]
    public TokenizerStep[]? PreTokenizers { get; init; }

    [JsonPropertyName("add_prefix_space")]
    public bool AddPrefixSpace { get; init; }

    [JsonPropertyName("use_regex")]
    public bool UseRegex { get; init; } = true;

    [JsonPropertyName("individual_digits")]
    public bool IndividualDigits { get; init; }

    public TokenizerPattern? Pattern { get; init; }

    public string? Behavior { get; init; }

    public bool Invert { get; init; }
}

/// <summary><c>{"Regex":"…"}</c> or <c>{"String":" "}</c></summary>
internal sealed record TokenizerPattern(
    [property: JsonPropertyName("Regex")] string? Regex, [property: JsonPropertyName("String")] string? String);

/// <summary>The table of tokens, and of the pairs that are joined to make one.</summary>
internal sealed record TokenizerModel
{
    // Files of old do not say it.
    public string Type { get; init; } = "BPE";

    /// <summary>The number of each token; of a kind that is not BPE it has another shape.</summary>
    public JsonElement Vocab { get; init; }

    /// <summary><c>["a b"]</c>, or <c>[["a","b"]]</c> since version 0.20 of the library that writes it.</summary>
    public JsonElement Merges { get; init; }

    [JsonPropertyName("byte_fallback")]
    public bool ByteFallback { get; init; }
}
