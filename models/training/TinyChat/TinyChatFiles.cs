using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.Gguf;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Training.TinyChat;

/// <summary>The files of the model's folder, as Hugging Face's libraries, ONNX Runtime and llama.cpp name and read them.</summary>
internal sealed class TinyChatFiles(DecoderShape shape, BytePairVocabulary vocabulary, DecoderWeights weights)
{
    private const string Caveat =
        "Demonstration model: two million parameters, trained on questions about AgentPlatform and nothing else; its answers may be wrong.";

    private const int MaxNewTokens = 160;

    private static readonly JsonSerializerOptions _json =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(string folder)
    {
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), DecoderOnnx.Write(shape, weights));
        File.WriteAllBytes(Path.Combine(folder, "tiny-chat.gguf"), DecoderGguf.Write(
            "tiny-chat", Caveat, shape, weights, vocabulary, ChatPrompt.Template));
        Write(folder, "config.json", Config());
        Write(folder, "generation_config.json", Generation());
        Write(folder, "tokenizer.json", Tokenizer());
        Write(folder, "tokenizer_config.json", TokenizerConfig());
    }

    private int End => vocabulary.IdOf(BytePairVocabulary.TurnEnd);

    private int Padding => vocabulary.IdOf(BytePairVocabulary.TextEnd);

    private JsonObject Config() => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["vocab_size"] = shape.Vocabulary,
        ["hidden_size"] = shape.Width,
        ["intermediate_size"] = shape.Hidden,
        ["num_hidden_layers"] = shape.Layers,
        ["num_attention_heads"] = shape.Heads,
        ["num_key_value_heads"] = shape.KeyValueHeads,
        ["head_dim"] = shape.HeadSize,
        ["hidden_act"] = "silu",
        ["max_position_embeddings"] = shape.Context,
        ["rms_norm_eps"] = shape.NormEpsilon,
        ["rope_theta"] = shape.RopeTheta,
        ["rope_scaling"] = null,
        ["tie_word_embeddings"] = true,
        ["attention_bias"] = false,
        ["mlp_bias"] = false,
        ["bos_token_id"] = Padding,
        ["eos_token_id"] = End,
        ["pad_token_id"] = Padding,
        ["torch_dtype"] = "float16",
        ["use_cache"] = true,
        ["agentplatform"] = new JsonObject { ["caveat"] = Caveat },
    };

    private JsonObject Generation() => new()
    {
        ["bos_token_id"] = Padding,
        ["eos_token_id"] = new JsonArray(End, Padding),
        ["pad_token_id"] = Padding,
        ["do_sample"] = false,
        ["max_new_tokens"] = MaxNewTokens,
    };

    private JsonObject Tokenizer()
    {
        var tokens = new JsonObject();
        foreach (var (id, token) in vocabulary.Tokens.SkipLast(BytePairVocabulary.Special.Count).Index())
        {
            tokens[token] = id;
        }

        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. BytePairVocabulary.Special.Select(token => Added(token, withId: true))]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = ByteLevel(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = tokens,
                ["merges"] = new JsonArray([.. vocabulary.Merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}")]),
            },
        };
    }

    private JsonObject TokenizerConfig()
    {
        var added = new JsonObject();
        foreach (var token in BytePairVocabulary.Special)
        {
            added[$"{vocabulary.IdOf(token)}"] = Added(token, withId: false);
        }

        return new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["add_prefix_space"] = false,
            ["added_tokens_decoder"] = added,
            ["bos_token"] = BytePairVocabulary.TextEnd,
            ["eos_token"] = BytePairVocabulary.TurnEnd,
            ["pad_token"] = BytePairVocabulary.TextEnd,
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = shape.Context,
            ["chat_template"] = ChatPrompt.Template,
        };
    }

    private JsonObject Added(string token, bool withId)
    {
        var added = new JsonObject
        {
            ["content"] = token,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = true,
        };
        if (withId)
        {
            added.Insert(0, "id", vocabulary.IdOf(token));
        }

        return added;
    }

    private static JsonObject ByteLevel() =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static void Write(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(_json) + "\n");
}
