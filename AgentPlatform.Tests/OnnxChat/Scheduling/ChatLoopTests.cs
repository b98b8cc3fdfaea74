using AgentPlatform.Inference;
using AgentPlatform.OnnxChat.Sampling;
using AgentPlatform.OnnxChat.Scheduling;

namespace AgentPlatform.Tests.OnnxChat.Scheduling;

public sealed class ChatLoopTests : IDisposable
{
    private static readonly SamplingSettings _warm = new() { Temperature = 1, TopP = 0.95f };
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly RunningModel _running = new();

    public void Dispose() => _running.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_seeded_answer_is_the_same_alone_and_among_any_others_that_come_and_go(int threads)
    {
        using var running = new RunningModel(threads: threads);
        var requests = Enumerable.Range(0, 40)
            .Select(
                index =>
                    (
                        Prompt: RunningModel.Prompt(index, 3 + (index * 37 % 250)),
                        Settings: Settings(_warm, index, 20 + (index * 13 % 90)))).ToList();
        var alone = new List<int[]>();
        foreach (var (prompt, settings) in requests)
        {
            alone.Add(await RunningModel.TokensAsync(running.Start(prompt, settings)));
        }

        // In another order, each joining when some other has come so far.
        var random = new SplitMix64(42);
        var order = Enumerable.Range(0, requests.Count).OrderBy(random.UniformAt).ToList();
        var together = new Dictionary<int, Task<int[]>>();
        foreach (var index in order)
        {
            var answer = running.Start(requests[index].Prompt, requests[index].Settings);
            together[index] = RunningModel.TokensAsync(answer);
            if (random.UniformAt(1000 + index) < 0.3)
            {
                await together[order[(int)(random.UniformAt(2000 + index) * together.Count)]];
            }
        }

        foreach (var (index, tokens) in together)
        {
            Assert.Equal(alone[index], await tokens);
        }

        Assert.Equal(0, running.Loop.Active);
    }

    [Fact]
    public async Task Other_seeds_give_other_answers_and_greedy_ones_do_not_depend_on_it()
    {
        var prompt = RunningModel.Prompt(1, 10);
        Assert.NotEqual(await TokensAsync(prompt, Settings(_warm, 1, 20)), await TokensAsync(prompt, Settings(_warm, 2, 20)));
        Assert.Equal(await TokensAsync(prompt, Settings(new(), 1, 20)), await TokensAsync(prompt, Settings(new(), 2, 20)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(39)]
    public async Task An_answer_that_goes_on_elsewhere_goes_on_as_if_it_had_stayed(int given)
    {
        var prompt = RunningModel.Prompt(5, 50);
        var settings = Settings(_warm with { RepetitionPenalty = 1.1f, FrequencyPenalty = 0.2f }, 3, 40) with { Logprobs = true };
        var whole = _running.Start(prompt, settings);
        var pieces = await RunningModel.ReadAsync(whole);

        using var elsewhere = new RunningModel();
        var company = elsewhere.Start(RunningModel.Prompt(9, 20), Settings(_warm, 1, 100));
        var rest = elsewhere.Start(prompt, settings, [[.. whole.Sequences[0].Tokens.Take(given)]]);
        var restPieces = await RunningModel.ReadAsync(rest);
        await RunningModel.ReadAsync(company);

        Assert.Equal(whole.Sequences[0].Tokens, rest.Sequences[0].Tokens);
        Assert.Equal(whole.Usage, rest.Usage);
        var expected = pieces.TakeLast(restPieces.Count).ToList();
        Assert.Equal(string.Concat(expected.Select(piece => piece.Text)), string.Concat(restPieces.Select(piece => piece.Text)));
        Assert.Equal(expected.Select(piece => piece.FinishReason), restPieces.Select(piece => piece.FinishReason));
        Assert.Equal(
            expected.SelectMany(piece => piece.Logprobs!).Select(token => token.Chosen.Logprob),
            restPieces.SelectMany(piece => piece.Logprobs!).Select(token => token.Chosen.Logprob));
    }

    [Fact]
    public async Task Several_choices_are_as_many_answers_and_the_first_is_that_of_one()
    {
        var prompt = RunningModel.Prompt(2, 30);
        var one = await TokensAsync(prompt, Settings(_warm, 8, 25));
        var answer = _running.Start(prompt, Settings(_warm, 8, 25) with { Choices = 3 });
        var pieces = await RunningModel.ReadAsync(answer);
        Assert.Equal(one, answer.Sequences[0].Tokens);
        Assert.NotEqual(one, answer.Sequences[1].Tokens);
        Assert.Equal(3, pieces.Count(piece => piece.FinishReason is not null));
        Assert.Equal(new(30, 75), answer.Usage);
    }

    [Fact]
    public async Task An_answer_that_nobody_wants_any_more_ends_within_a_step()
    {
        var answer = _running.Start(RunningModel.Prompt(1, 10), Settings(_warm, 1, 400));
        await answer.Pieces.WaitToReadAsync();
        answer.Leave();
        var tokens = answer.Sequences[0].Tokens.Count;
        await IdleAsync();
        Assert.InRange(answer.Sequences[0].Tokens.Count, tokens, tokens + 1);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_nobody()
    {
        var slow = _running.Start(RunningModel.Prompt(1, 10), Settings(_warm, 1, 300));
        var others = Enumerable.Range(0, 8)
            .Select(index => RunningModel.TokensAsync(_running.Start(RunningModel.Prompt(index, 20), Settings(_warm, index, 50)))).ToList();
        Assert.All(await Task.WhenAll(others), tokens => Assert.Equal(50, tokens.Length));
        await IdleAsync();
        Assert.Equal(300, (await RunningModel.TokensAsync(slow)).Length);
    }

    [Fact]
    public async Task A_run_that_breaks_fails_its_own_sequences_and_the_loop_goes_on()
    {
        // Longer, so in a run of its own.
        var bystander = _running.Start(RunningModel.Prompt(1, 200), Settings(_warm, 1, 60));
        var alone = await TokensAsync(RunningModel.Prompt(1, 200), Settings(_warm, 1, 60));
        var broken = _running.Start(RunningModel.Prompt(2, 10), Settings(_warm, 1, 50), [[1, 2, 1_000_000]]);
        Assert.Equal("engine_error", await FailureAsync(broken));
        Assert.Equal(alone, await RunningModel.TokensAsync(bystander));
        Assert.Equal("engine_error", await FailureAsync(_running.Start([1_000_000], Settings(_warm, 1, 50))));
        Assert.Equal(5, (await TokensAsync(RunningModel.Prompt(3, 10), Settings(_warm, 1, 5))).Length);
        await IdleAsync();
    }

    [Fact]
    public async Task More_sequences_than_there_are_rows_wait_and_all_are_answered()
    {
        using var running = new RunningModel(rows: 4);
        var answers = Enumerable.Range(0, 12)
            .Select(
                index =>
                    RunningModel.ReadAsync(
                        running.Start(
                            RunningModel.Prompt(index, 20), Settings(_warm, index, 30) with { Choices = 1 + (index % 4) }))).ToList();
        for (var index = 0; index < answers.Count; index++)
        {
            Assert.Equal(1 + (index % 4), (await answers[index]).Count(piece => piece.FinishReason == "length"));
        }
    }

    [Fact]
    public async Task Stopping_fails_what_runs_what_waits_and_what_comes_later()
    {
        var running = new RunningModel(rows: 1);
        var runs = running.Start(RunningModel.Prompt(1, 10), Settings(_warm, 1, 10_000));
        var waits = running.Start(RunningModel.Prompt(1, 10), Settings(_warm, 1, 10));
        await runs.Pieces.WaitToReadAsync();
        running.Dispose();
        Assert.Equal("unavailable", await FailureAsync(runs));
        Assert.Equal("unavailable", await FailureAsync(waits));
        Assert.Equal("unavailable", await FailureAsync(running.Start(RunningModel.Prompt(1, 10), Settings(_warm, 1, 10))));
    }

    private static ChatSettings Settings(SamplingSettings sampling, int seed, int tokens) =>
        new() { Sampling = sampling, Seed = (ulong)seed, MaxTokens = tokens };

    private static async Task<string?> FailureAsync(ChatAnswer answer) =>
        (await Assert.ThrowsAsync<InferenceException>(() => RunningModel.ReadAsync(answer))).Error.Code;

    private Task<int[]> TokensAsync(int[] prompt, ChatSettings settings) => RunningModel.TokensAsync(_running.Start(prompt, settings));

    private async Task IdleAsync() =>
        await Wait.UntilAsync(() => _running.Loop.Active == 0).WaitAsync(_limit);
}
