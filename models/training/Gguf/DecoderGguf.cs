using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.Tokens;

namespace AgentPlatform.Training.Gguf;

/// <summary>Writes a decoder with its tokenizer as GGUF, as llama.cpp's architecture "llama" reads it.</summary>
internal static class DecoderGguf
{
    private const int MostlyHalf = 1;
    private const int NormalToken = 1, ControlToken = 3;

    public static byte[] Write(
        string name, string description, DecoderShape shape, DecoderWeights weights, BytePairVocabulary vocabulary, string chatTemplate)
    {
        var file = new GgufFile()
            .Add("general.architecture", "llama")
            .Add("general.name", name)
            .Add("general.description", description)
            .Add("general.file_type", MostlyHalf)
            .Add("llama.vocab_size", shape.Vocabulary)
            .Add("llama.context_length", shape.Context)
            .Add("llama.embedding_length", shape.Width)
            .Add("llama.block_count", shape.Layers)
            .Add("llama.feed_forward_length", shape.Hidden)
            .Add("llama.attention.head_count", shape.Heads)
            .Add("llama.attention.head_count_kv", shape.KeyValueHeads)
            .Add("llama.attention.key_length", shape.HeadSize)
            .Add("llama.attention.value_length", shape.HeadSize)
            .Add("llama.attention.layer_norm_rms_epsilon", shape.NormEpsilon)
            .Add("llama.rope.dimension_count", shape.HeadSize)
            .Add("llama.rope.freq_base", shape.RopeTheta)
            .Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "gpt-2")
            .Add("tokenizer.ggml.tokens", vocabulary.Tokens)
            .Add(
                "tokenizer.ggml.token_type",
                vocabulary.Tokens.Select(token => BytePairVocabulary.Special.Contains(token) ? ControlToken : NormalToken).ToArray())
            .Add("tokenizer.ggml.merges", vocabulary.Merges.Select(merge => $"{merge.Left} {merge.Right}").ToArray())
            .Add("tokenizer.ggml.bos_token_id", vocabulary.IdOf(BytePairVocabulary.TextEnd))
            .Add("tokenizer.ggml.eos_token_id", vocabulary.IdOf(BytePairVocabulary.TurnEnd))
            .Add("tokenizer.ggml.padding_token_id", vocabulary.IdOf(BytePairVocabulary.TextEnd))
            .Add("tokenizer.ggml.add_bos_token", false)
            .Add("tokenizer.chat_template", chatTemplate)
            // There is no output.weight: llama.cpp then takes the embedding for it.
            .AddMatrix("token_embd.weight", weights.Embedding, shape.Width)
            .AddVector("output_norm.weight", weights.FinalNorm);
        foreach (var (index, layer) in weights.Layers.Index())
        {
            file
                .AddVector($"blk.{index}.attn_norm.weight", layer.AttentionNorm)
                .AddMatrix($"blk.{index}.attn_q.weight", Interleaved(layer.Query, shape), shape.Width)
                .AddMatrix($"blk.{index}.attn_k.weight", Interleaved(layer.Key, shape), shape.Width)
                .AddMatrix($"blk.{index}.attn_v.weight", layer.Value, shape.Width)
                .AddMatrix($"blk.{index}.attn_output.weight", layer.Output, shape.Heads * shape.HeadSize)
                .AddVector($"blk.{index}.ffn_norm.weight", layer.FeedForwardNorm)
                .AddMatrix($"blk.{index}.ffn_gate.weight", layer.Gate, shape.Width)
                .AddMatrix($"blk.{index}.ffn_up.weight", layer.Up, shape.Width)
                .AddMatrix($"blk.{index}.ffn_down.weight", layer.Down, shape.Hidden);
        }

        return file.ToBytes();
    }

    /// <summary>
    /// Rows in the order of llama.cpp's rotary positions for this architecture, where
    /// neighbours turn with each other: 0, h/2, 1, h/2 + 1, ... of each head of h rows.
    /// </summary>
    private static float[] Interleaved(float[] matrix, DecoderShape shape)
    {
        var (result, half) = (new float[matrix.Length], shape.HeadSize / 2);
        for (var row = 0; row < matrix.Length / shape.Width; row++)
        {
            var (head, inner) = Math.DivRem(row, shape.HeadSize);
            var source = (head * shape.HeadSize) + (inner % 2 * half) + (inner / 2);
            matrix.AsSpan(source * shape.Width, shape.Width).CopyTo(result.AsSpan(row * shape.Width));
        }

        return result;
    }
}
