using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Preparation;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Simulated;

/// <summary>
/// Stands for a GPU in load and chaos tests: takes the time that one takes, computes nothing, and says so in its answers. Streams
/// share the steps of one <see cref="StepClock"/>. A cancelled stream leaves at the end of a step, as in engines that batch
/// continuously.
/// </summary>
internal sealed class SimulatedEngine(IOptions<SimulatedOptions> options, PreparationPool preparation, TimeProvider time) : IEngine
{
    private readonly SimulatedOptions _options = options.Value;
    private readonly StepClock _clock = new(options.Value.TimePerToken, options.Value.BatchSlope, time);

    /// <inheritdoc/>
    public EngineTraits Traits { get; } = new([Operation.Chat], Slots: 32)
    {
        Replayable = true,
        Continues = true,
        Caveat = "Simulated: no model computes these answers. They stand in for a GPU in load and chaos tests.",
    };

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<SimulatedOptions, SimulatedOptionsValidator>(SimulatedOptions.Section);
        services.AddSingleton<IEngine, SimulatedEngine>();
    }

    /// <inheritdoc/>
    public Task LoadAsync(CancellationToken cancellationToken) => PassAsync(_options.LoadTime, cancellationToken);

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        // Costs no simulated time, and the code below runs once before the first request does.
        using var parts = new ChatParts();
        Result(parts, SimulatedAnswer.Compose("""{"messages":[{"role":"user","content":"warm up"}]}"""u8.ToArray(), _options.AnswerTokens));
        await PassAsync(TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var answer = await preparation.RunAsync(
            request.Body.Length, _ => SimulatedAnswer.Compose(request.Body, _options.AnswerTokens), cancellationToken);
        using var parts = new ChatParts();
        await PassAsync(_options.TimeToFirstToken, cancellationToken);

        using var seat = _clock.Join();
        var made = request.PartialAnswer?.Parts ?? 0;
        for (var step = 0; step < answer.Steps; step++)
        {
            var (part, next) = made > 0 ? answer.PartsOf(step) : default;
            if (next <= made && made > 0 && step < answer.Steps - 1)
            {
                // Another worker has made the parts of this step.
                continue;
            }

            if (step > 0)
            {
                await _clock.NextAsync();
            }

            cancellationToken.ThrowIfCancellationRequested();
            for (var index = 0; request.Stream && step == 0 && index < answer.Choices.Count; index++)
            {
                if (part++ >= made)
                {
                    yield return parts.Role(index);
                }
            }

            for (var index = 0; request.Stream && index < answer.Choices.Count; index++)
            {
                var choice = answer.Choices[index];
                if (step < choice.Tokens.Count && part++ >= made)
                {
                    yield return parts.Token(index, choice.Tokens[step]);
                }

                if (step == Math.Max(choice.Tokens.Count, 1) - 1 && part++ >= made)
                {
                    yield return parts.Finish(index, choice.FinishReason);
                }
            }
        }

        yield return request.Stream ? parts.End(answer.Usage) : Result(parts, answer);
    }

    private static ReplyPart Result(ChatParts parts, SimulatedAnswer answer) =>
        parts.Result(answer.Choices.Select(choice => new ChatChoice(string.Concat(choice.Tokens), choice.FinishReason)), answer.Usage);

    private Task PassAsync(TimeSpan duration, CancellationToken cancellationToken) =>
        duration > TimeSpan.Zero ? Task.Delay(duration, time, cancellationToken) : Task.CompletedTask;
}
