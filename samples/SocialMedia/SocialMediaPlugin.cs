using System.ComponentModel;
using System.Text.Json;
using AgentPlatform.Inference;
using Microsoft.SemanticKernel;

namespace SocialMedia;

/// <summary>Tools of an agent that watches social media. They ask the platform's own classifier.</summary>
/// <param name="classifier">Reaches the classifier.</param>
/// <param name="model">Its name.</param>
/// <param name="time">Measures deadlines.</param>
internal sealed class SocialMediaPlugin(IInference classifier, string model, TimeProvider time)
{
    private const int MaxComments = 200;

    // The agent's own time limit is what counts.
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(29);

    /// <summary>Judges comments.</summary>
    [KernelFunction("analyze_comments")]
    [Description("Judges the sentiment of social-media comments and counts them. Give it all comments at once.")]
    public async Task<CommentReport> AnalyzeCommentsAsync(
        [Description("The comments, each as it was written.")] IReadOnlyList<string> comments,
        CancellationToken cancellationToken = default)
    {
        if (comments.Count > MaxComments)
        {
            throw new ArgumentException($"At most {MaxComments} comments at once.", nameof(comments));
        }

        // All at once: the classifier computes what waits in batches.
        var judged = await Task.WhenAll(comments.Select(comment => JudgeAsync(comment, cancellationToken)));
        return new CommentReport(Count("Positive"), Count("Negative"), Count("Neutral"), judged);

        int Count(string sentiment) => judged.Count(comment => comment.Sentiment == sentiment);
    }

    private async Task<JudgedComment> JudgeAsync(string comment, CancellationToken cancellationToken)
    {
        var request = new InferenceRequest
        {
            RequestId = Guid.CreateVersion7(),
            Model = model,
            Operation = Operation.Analyze,
            Deadline = time.GetUtcNow() + _deadline,
            TimeLimit = new TimeLimit(_deadline, time),
            Body = JsonSerializer.SerializeToUtf8Bytes(new ClassifierRequest(comment), ClassifierJsonContext.Default.ClassifierRequest),
        };
        await foreach (var part in classifier.RunAsync(request, cancellationToken))
        {
            if (part.Kind == ReplyKind.Result
                && JsonSerializer.Deserialize(part.Payload.Span, ClassifierJsonContext.Default.ClassifierAnswer) is { } answer)
            {
                return new JudgedComment(comment, answer.Sentiment, Math.Round(answer.Confidence, 3));
            }
        }

        throw new InferenceException(InferenceError.EngineFailed("The classifier gave no answer."));
    }
}
