using System.Text;
using AgentPlatform.Inference;

namespace AgentPlatform.Tests.Worker;

/// <summary>Requests as the gateway or the HTTP surface would make them.</summary>
internal static class Requests
{
    public static InferenceRequest Create(
        Operation operation = Operation.Chat, bool stream = false, TimeLimit timeLimit = default,
        string body = """{"messages":[{"role":"user","content":"hello"}]}""") => new()
        {
            RequestId = Guid.NewGuid(),
            Model = "m",
            Operation = operation,
            Stream = stream,
            Deadline = DateTimeOffset.FromUnixTimeMilliseconds(4_000_000_000_000),
            TimeLimit = timeLimit,
            Body = Encoding.UTF8.GetBytes(body),
        };

    /// <summary>The parts as text, such as <c>Delta {…}</c>.</summary>
    public static async Task<List<string>> ReadAsync(this IAsyncEnumerable<ReplyPart> answer)
    {
        var parts = new List<string>();
        await foreach (var part in answer)
        {
            parts.Add($"{part.Kind} {Encoding.UTF8.GetString(part.Payload.Span)}");
        }

        return parts;
    }

    /// <summary>The same without the word that the engine began.</summary>
    public static async Task<List<string>> AnswerAsync(this IAsyncEnumerable<ReplyPart> answer) =>
        (await answer.ReadAsync()).FindAll(part => !part.StartsWith(nameof(ReplyKind.Started), StringComparison.Ordinal));

    /// <summary>The error with which an answer fails.</summary>
    public static async Task<InferenceError> FailureAsync(this IAsyncEnumerable<ReplyPart> answer) =>
        (await Assert.ThrowsAsync<InferenceException>(() => answer.ReadAsync().WaitAsync(TimeSpan.FromMinutes(1)))).Error;
}
