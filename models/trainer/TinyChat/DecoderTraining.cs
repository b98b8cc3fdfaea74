using AgentPlatform.Training.Decoder;
using AgentPlatform.Training.TinyChat;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace AgentPlatform.Trainer.TinyChat;

/// <summary>
/// Trains the decoder to answer: AdamW, a cosine of the learning rate, loss on answers only. The same seed and conversations give the same
/// weights on the same processor; the number of threads is fixed because sums depend on it.
/// </summary>
internal sealed class DecoderTraining(TinyChatOptions options, int padding, int topics)
{
    private const int Threads = 1;

    // So many batches are drawn at once and sorted by length, so that a batch has little padding.
    private const int BatchesAtOnce = 32;

    /// <summary>Trains for one of the options' rounds.</summary>
    /// <param name="round">The round's index.</param>
    /// <param name="start">Where to go on from; null draws weights.</param>
    /// <param name="next">Draws a conversation.</param>
    /// <param name="report">Called every hundred steps with the number of steps done, the loss and the weights so far.</param>
    public DecoderWeights Train(int round, DecoderWeights? start, Func<Conversation> next, Action<int, double, Func<DecoderWeights>> report)
    {
        set_num_threads(Threads);
        random.manual_seed(options.Seed + round);
        using var network = new DecoderNetwork(options.Shape, options.Rounds[round].Dropout);
        if (start is not null)
        {
            network.Import(start);
        }

        using var topicHead = new Parameter(randn(topics, options.Shape.Width) * 0.02);
        var averages = network.Parameters.Select(parameter => parameter.detach().clone()).ToList();
        using var optimizer = optim.AdamW(
            [
                new AdamW.ParamGroup(
                    network.Matrices.Append(topicHead),
                    new AdamW.Options { weight_decay = options.WeightDecay, beta1 = 0.9, beta2 = 0.98 }),
                new AdamW.ParamGroup(network.Norms, new AdamW.Options { weight_decay = 0, beta1 = 0.9, beta2 = 0.98 }),
            ]);
        Parameter[] all = [.. network.Parameters, topicHead];
        var batches = new Queue<Conversation[]>();
        var shuffle = new Random(options.Seed + round);
        var steps = options.Rounds[round].Steps;
        var (sum, count) = (0.0, 0);
        for (var step = 1; step <= steps; step++)
        {
            if (batches.Count == 0)
            {
                Refill(batches, next, shuffle);
            }

            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = LearningRate(step, steps);
            }

            using (NewDisposeScope())
            {
                optimizer.zero_grad();
                var loss = Loss(network, topicHead, batches.Dequeue());
                loss.backward();
                nn.utils.clip_grad_norm_(all, 1.0);
                optimizer.step();
                Average(averages, network, step);
                (sum, count) = (sum + loss.item<float>(), count + 1);
            }

            if (step % 100 == 0 || step == steps)
            {
                report(step, sum / count, () => network.Export(averages));
                (sum, count) = (0, 0);
            }
        }

        var weights = network.Export(averages);
        averages.ForEach(average => average.Dispose());
        return weights;
    }

    private Tensor Loss(DecoderNetwork network, Parameter topicHead, Conversation[] batch)
    {
        var length = batch.Max(conversation => conversation.Tokens.Length);
        var tokens = new long[batch.Length * length];
        Array.Fill(tokens, padding);
        var (places, targets, decisions) = (new List<long>(), new List<long>(), new List<long>());
        for (var row = 0; row < batch.Length; row++)
        {
            var conversation = batch[row];
            decisions.Add((row * length) + conversation.AnswerStart - 1);
            for (var index = 0; index < conversation.Tokens.Length; index++)
            {
                tokens[(row * length) + index] = conversation.Tokens[index];
                if (index >= conversation.AnswerStart)
                {
                    places.Add((row * length) + index - 1);
                    targets.Add(conversation.Tokens[index]);
                }
            }
        }

        var states = network.Forward(tensor(tokens, batch.Length, length));
        var answers = F.cross_entropy(network.Logits(states.index_select(0, tensor(places))), tensor(targets));
        var topics = F.cross_entropy(
            F.linear(states.index_select(0, tensor(decisions)), topicHead),
            tensor(batch.Select(conversation => (long)conversation.Topic).ToArray()));
        return answers + (topics * options.TopicWeight);
    }

    /// <summary>An exponential average; a shorter one at first, so that where the weights began is soon forgotten.</summary>
    private void Average(List<Tensor> averages, DecoderNetwork network, int step)
    {
        using var noGradient = no_grad();
        var share = 1 / Math.Min(options.AverageSteps, 1 + (step / 10.0));
        foreach (var (average, parameter) in averages.Zip(network.Parameters))
        {
            average.lerp_(parameter, share);
        }
    }

    private double LearningRate(int step, int steps) => options.LearningRate * (step < options.WarmupSteps
        ? (double)step / options.WarmupSteps
        : 0.02 + (0.49 * (1 + Math.Cos(Math.PI * (step - options.WarmupSteps) / (steps - options.WarmupSteps)))));

    private void Refill(Queue<Conversation[]> batches, Func<Conversation> next, Random shuffle)
    {
        var drawn = Enumerable.Range(0, BatchesAtOnce * options.BatchSize).Select(_ => next()).OrderBy(conversation =>
            conversation.Tokens.Length)
            .Chunk(options.BatchSize).ToArray();
        shuffle.Shuffle(drawn);
        foreach (var batch in drawn)
        {
            batches.Enqueue(batch);
        }
    }
}
