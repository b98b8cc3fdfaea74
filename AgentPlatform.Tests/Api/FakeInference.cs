using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Tests.Api;

/// <summary>Answers as the test says, and remembers what it was asked.</summary>
internal sealed class FakeInference : IInference, IModelCatalogue
{
    private readonly List<InferenceRequest> _requests = [];

    /// <summary>The answer to each request.</summary>
    public Func<InferenceRequest, CancellationToken, IAsyncEnumerable<ReplyPart>> Answer { get; set; } = (_, _) => Parts(
        Result("""{"choices":[]}"""));

    public IReadOnlyList<InferenceRequest> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public List<ModelInfo> Models { get; } =
    [
        new("mood", [Operation.Analyze], "tests"),
        new("tiny", [Operation.Chat], "tests", "Says what the test says."),
        new("org/big", [Operation.Chat], "tests"),
    ];

    IReadOnlyList<ModelInfo> IModelCatalogue.Models => Models;

    public string? Version { get; set; }

    public ModelRoute? Find(string id) =>
        Models.FirstOrDefault(model => model.Id == id) is { } model ? new ModelRoute(model, Version, this) : null;

    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        lock (_requests)
        {
            _requests.Add(request);
        }

        return Answer(request, cancellationToken);
    }

    public static ReplyPart Delta(string json) => new(ReplyKind.Delta, Encoding.UTF8.GetBytes(json));

    /// <summary>A chunk with a piece of text.</summary>
    public static ReplyPart Text(string text, string? finishReason = null) => Delta(
        $$"""{"choices":[{"index":0,"delta":{"content":"{{text}}"},"finish_reason":"""
            + $$"""{{(finishReason is null ? "null" : $"\"{finishReason}\"")}}}]}""");

    public static ReplyPart End(string usage = "") => new(ReplyKind.End, Encoding.UTF8.GetBytes(usage));

    public static ReplyPart Result(string json) => new(ReplyKind.Result, Encoding.UTF8.GetBytes(json));

    public static ReplyPart Started { get; } = new(ReplyKind.Started, new StartedNote("w").ToUtf8());

    public static async IAsyncEnumerable<ReplyPart> Parts(params ReplyPart[] parts)
    {
        foreach (var part in parts)
        {
            await Task.Yield();
            yield return part;
        }
    }

    public static async IAsyncEnumerable<ReplyPart> FailAfter(InferenceError error, params ReplyPart[] parts)
    {
        await foreach (var part in Parts(parts))
        {
            yield return part;
        }

        throw new InferenceException(error);
    }

    /// <summary>Gives the parts, then waits for <paramref name="gate"/> or to be cancelled, then gives the rest.</summary>
    public static async IAsyncEnumerable<ReplyPart> Gated(
        Task gate, ReplyPart[] before, ReplyPart[] after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var part in Parts(before))
        {
            yield return part;
        }

        await gate.WaitAsync(cancellationToken);
        await foreach (var part in Parts(after))
        {
            yield return part;
        }
    }
}
