using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Client;
using AgentPlatform.Client.Transports;
using AgentPlatform.Inference;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Worker.Engines.Agent.SocialMedia;

/// <summary>One judged comment.</summary>
/// <param name="Text">The comment.</param>
/// <param name="Sentiment">Positive, Negative or Neutral.</param>
/// <param name="Confidence">How sure the model is, from 0 to 1.</param>
internal sealed record JudgedComment(string Text, string Sentiment, double Confidence);

/// <summary>Judged comments and how many there are of each kind.</summary>
internal sealed record CommentReport(int Positive, int Negative, int Neutral, IReadOnlyList<JudgedComment> Comments);

/// <summary>
/// Tools of an agent that watches social media. They ask the platform's own classifier, over the transport that
/// <c>Agent:SocialMedia</c> names: the queue of its pool, or a gateway.
/// </summary>
internal sealed class SocialMediaPlugin([FromKeyedServices(SocialMediaPlugin.Key)] IInference classifier, SocialMediaModel model, TimeProvider time)
{
    private const string Key = "social_media";
    private const string Section = "Agent:SocialMedia";
    private const int MaxComments = 200;

    // The agent's own time limit is what counts.
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(29);

    /// <summary>Registers the classifier.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var model = ClientExtensions.ReadChecked(builder.Configuration.GetSection(Section), builder.Configuration);
        builder.AddTransports([model]);
        builder.Services.AddKeyedSingleton(Key, (services, _) => TransportFactory.Create(services, model));
        builder.Services.AddSingleton(new SocialMediaModel(model.Name));
    }

    /// <summary>Judges comments.</summary>
    [KernelFunction("analyze_comments")]
    [Description("Judges the sentiment of social-media comments and counts them. Give it all comments at once.")]
    public async Task<CommentReport> AnalyzeCommentsAsync(
        [Description("The comments, each as it was written.")] IReadOnlyList<string> comments, CancellationToken cancellationToken = default)
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
            Model = model.Name,
            Operation = Operation.Analyze,
            Deadline = time.GetUtcNow() + _deadline,
            TimeLimit = new TimeLimit(_deadline, time),
            Body = JsonSerializer.SerializeToUtf8Bytes(new CommentToJudge(comment), SocialMediaJsonContext.Default.CommentToJudge),
        };
        await foreach (var part in classifier.RunAsync(request, cancellationToken))
        {
            if (part.Kind == ReplyKind.Result && JsonSerializer.Deserialize(part.Payload.Span, SocialMediaJsonContext.Default.Judgement) is { } judgement)
            {
                return new JudgedComment(comment, judgement.Sentiment, Math.Round(judgement.Confidence, 3));
            }
        }

        throw new InferenceException(InferenceError.EngineFailed("The classifier gave no answer."));
    }
}

/// <summary>The classifier's name.</summary>
internal sealed record SocialMediaModel(string Name);

/// <summary><c>{"text":"I love it"}</c></summary>
internal sealed record CommentToJudge(string Text);

/// <summary><c>{"sentiment":"Positive","confidence":0.93}</c></summary>
internal sealed record Judgement(string Sentiment, double Confidence);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CommentToJudge))]
[JsonSerializable(typeof(Judgement))]
internal sealed partial class SocialMediaJsonContext : JsonSerializerContext;
