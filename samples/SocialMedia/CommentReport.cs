namespace SocialMedia;

/// <summary>Judged comments and how many there are of each kind.</summary>
internal sealed record CommentReport(int Positive, int Negative, int Neutral, IReadOnlyList<JudgedComment> Comments);

/// <summary>One judged comment.</summary>
/// <param name="Text">The comment.</param>
/// <param name="Sentiment">Positive, Negative or Neutral.</param>
/// <param name="Confidence">How sure the model is, from 0 to 1.</param>
internal sealed record JudgedComment(string Text, string Sentiment, double Confidence);
