using AgentPlatform.Training.Decoder;

namespace AgentPlatform.Training.TinyChat;

/// <summary>
/// What the model and its training are made of; chosen on questions held back from the training data, see the model card.
/// </summary>
internal sealed record TinyChatOptions
{
    public int Vocabulary { get; init; } = 2048;

    public DecoderShape Shape { get; init; } = new(
        Vocabulary: 2048, Layers: 3, Width: 256, Heads: 8, KeyValueHeads: 2, HeadSize: 32, Hidden: 512, Context: 512);

    public int Seed { get; init; } = 20261124;

    /// <summary>
    /// The rate of learning falls to nearly nothing in each round and is high again at the start of the next, which goes on from
    /// the weights that the one before would have written. Whole answers come when most questions already get the right beginning.
    /// </summary>
    public IReadOnlyList<TrainingRound> Rounds { get; init; } =
    [
        new(Steps: 4560, WholeAnswers: 0.25, AnswerWords: 0.08, Dropout: 0.1),
    ];

    /// <summary>Conversations per step.</summary>
    public int BatchSize { get; init; } = 32;

    public int WarmupSteps { get; init; } = 100;

    public double LearningRate { get; init; } = 2e-3;

    public double WeightDecay { get; init; } = 0.1;

    /// <summary>
    /// How much the question's topic, read off the state from which the answer starts, counts beside the answer's tokens.
    /// </summary>
    public double TopicWeight { get; init; } = 1;

    /// <summary>The written weights are an average over about so many of the last steps.</summary>
    public double AverageSteps { get; init; } = 300;

    /// <summary>
    /// Most answers are learnt by their first tokens, which decide what is answered; the rest follows from those, and is learnt from
    /// fewer examples.
    /// </summary>
    public int FirstTokens { get; init; } = 7;

    /// <summary>Of the questions, how many are off topic.</summary>
    public double OffTopic { get; init; } = 0.1;

    /// <summary>The share of questions that are made of two of the topic's.</summary>
    public double MixedQuestions { get; init; } = 0.3;

    /// <summary>With an instruction before the conversation, as OpenAI's clients send it.</summary>
    public double SystemMessages { get; init; } = 0.2;

    /// <summary>With an earlier question and answer, and of those with one more.</summary>
    public double EarlierTurns { get; init; } = 0.05;
}

/// <param name="Steps">Number of batches.</param>
/// <param name="WholeAnswers">The share of conversations whose answer is learnt to its end.</param>
/// <param name="AnswerWords">
/// The share of conversations that ask with some words of the answer, so that its words lead to it also where no question has them.
/// </param>
/// <param name="Dropout">The share of what a block adds to the state that is left out at random.</param>
internal sealed record TrainingRound(int Steps, double WholeAnswers, double AnswerWords, double Dropout);
