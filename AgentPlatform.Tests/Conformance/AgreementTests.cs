using System.Text.Json;

namespace AgentPlatform.Tests.Conformance;

/// <summary>One model, two runtimes: what ONNX Runtime computes in the worker and what llama.cpp computes behind it.</summary>
[Trait("Category", "Servers")]
public sealed class AgreementTests(OnnxChatConformance.Subject onnx, AgreementTests.SinglePrecisionLlama llama)
    : IClassFixture<OnnxChatConformance.Subject>, IClassFixture<AgreementTests.SinglePrecisionLlama>
{
    [Fact]
    public async Task Greedy_answers_of_both_runtimes_are_the_same_to_the_byte()
    {
        var differences = new List<string>();
        foreach (var questions in TinyChat.HeldOut().Chunk(4))
        {
            await Task.WhenAll(questions.Select(async question =>
            {
                var request =
                    $$"""{"model":"{{ChatSubject.Model}}","messages":[{"role":"user","content":{{JsonSerializer.Serialize(question)}}}]"""
                        + ""","temperature":0,"max_tokens":96}""";
                var answers = await Task.WhenAll(onnx.CompleteAsync(request), llama.CompleteAsync(request));
                if (answers[0].Text != answers[1].Text || answers[0].PromptTokens != answers[1].PromptTokens
                    || answers[0].CompletionTokens != answers[1].CompletionTokens)
                {
                    lock (differences)
                    {
                        differences.Add(
                            $"{question}\n  onnx-chat:    {answers[0].CompletionTokens} {answers[0].Text}\n  llama-server: "
                                + $"{answers[1].CompletionTokens} {answers[1].Text}");
                    }
                }
            }));
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    public sealed class SinglePrecisionLlama : LlamaServerConformance.Subject
    {
        protected override bool SinglePrecision => true;
    }
}
