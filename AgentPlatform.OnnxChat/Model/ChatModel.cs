using System.Text.Json;
using AgentPlatform.OnnxChat.Decoding;
using AgentPlatform.OnnxChat.Sampling;
using AgentPlatform.OnnxChat.Tokens;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.OnnxChat.Model;

/// <summary>
/// A model from a folder as Hugging Face Optimum exports it: <c>model.onnx</c>, <c>config.json</c>, <c>generation_config.json</c>,
/// <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, <c>chat_template.jinja</c>.
/// </summary>
/// <param name="Decoder">The graph.</param>
/// <param name="Tokenizer">Text to tokens and back.</param>
/// <param name="Template">Messages to prompt.</param>
/// <param name="ContextLength">Most tokens of prompt and answer together.</param>
/// <param name="EndTokens">Tokens by which it ends an answer.</param>
/// <param name="MaxTokens">Most tokens of an answer unless the request says otherwise; null for what the context holds.</param>
/// <param name="Sampling">How it chooses tokens unless the request says otherwise.</param>
/// <param name="Caveat">What a user should know before relying on its answers; null if nothing.</param>
internal sealed record ChatModel(
    Decoder Decoder, ChatTokenizer Tokenizer, PromptTemplate Template, int ContextLength, IReadOnlySet<int> EndTokens, int? MaxTokens,
    SamplingSettings Sampling, string? Caveat)
{
    // The names that architectures have for it, the common one first.
    private static readonly string[] _contextLengths = ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length"];

    /// <summary>Reads all files.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="open">Opens the graph where it is to be computed.</param>
    /// <exception cref="InvalidDataException">One is missing, wrong or of a kind that is not supported; the message says which.</exception>
    public static ChatModel Load(string folder, Func<string, InferenceSession> open)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidDataException($"The model folder {folder} does not exist.");
        }

        var configPath = Path.Combine(folder, "config.json");
        if (!File.Exists(configPath))
        {
            throw new InvalidDataException($"The file {configPath} does not exist.");
        }

        var (config, tokenizerConfig) = (ModelJson.Read(configPath), ModelJson.Read(Path.Combine(folder, "tokenizer_config.json")));
        var generation = ModelJson.Read(Path.Combine(folder, "generation_config.json"));
        var contextLength = _contextLengths.Select(name => config.Integer(name)).FirstOrDefault(length => length > 1)
            ?? throw new InvalidDataException($"The file {configPath} does not say how long a context may be (max_position_embeddings).");
        var tokenizer = TokenizerReader.Read(Path.Combine(folder, "tokenizer.json"));
        var template = PromptTemplate.Read(folder, tokenizerConfig, tokenizer);
        var decoder = Decoder.Open(Path.Combine(folder, "model.onnx"), open, config.Integer("vocab_size"));
        return new ChatModel(
            decoder, tokenizer, template, contextLength, EndTokensOf(config, generation, tokenizerConfig, tokenizer),
            generation.Integer("max_new_tokens"), SamplingOf(generation), CaveatOf(config));
    }

    /// <summary>Our own addition to config.json: <c>{"agentplatform":{"caveat":"Demonstration model."}}</c></summary>
    private static string? CaveatOf(JsonElement config) =>
        config.TryGetProperty("agentplatform", out var own) && own.ValueKind == JsonValueKind.Object ? own.Text("caveat") : null;

    // All that any of the files names: chat models end an answer by a mark that is often named in one of them only.
    private static HashSet<int> EndTokensOf(
        JsonElement config, JsonElement generation, JsonElement tokenizerConfig, ChatTokenizer tokenizer)
    {
        HashSet<int> tokens = [.. config.Integers("eos_token_id"), .. generation.Integers("eos_token_id")];
        if (tokenizerConfig.Token("eos_token") is { } mark && tokenizer.Find(mark) is { } id)
        {
            tokens.Add(id);
        }

        return tokens;
    }

    private static SamplingSettings SamplingOf(JsonElement generation) => new()
    {
        Temperature = generation.Is("do_sample") ? generation.Number("temperature") ?? 1 : 0,
        TopP = generation.Number("top_p") ?? 1,
        TopK = generation.Integer("top_k") ?? 0,
        MinP = generation.Number("min_p") ?? 0,
        RepetitionPenalty = generation.Number("repetition_penalty") ?? 1,
    };
}
