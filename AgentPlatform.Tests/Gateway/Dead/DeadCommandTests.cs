using AgentPlatform.Gateway.Dead;
using AgentPlatform.Inference;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Messaging.Dead;
using AgentPlatform.Tests.Worker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Gateway.Dead;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class DeadCommandTests(RabbitMQServer server)
{
    private const string Secret = "Nobody else is to read this.";

    [Fact]
    public async Task List_tells_of_every_job_and_nothing_of_what_its_client_wrote()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var (first, second) = (await dead.AddAsync($$"""{"x":"{{Secret}}"}"""), await dead.AddAsync());
        await PublishAsync(dead, "no\u001bjob");

        var (code, output, errors) = await RunAsync("list");
        Assert.Equal((0, ""), (code, errors));
        var lines = output.Trim().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal(
            ["ID", "DIED", "(UTC)", "MODEL", "VERSION", "ATTEMPTS", "REASON"], lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.EndsWith("unknown", lines[1], StringComparison.Ordinal);
        Assert.Equal([first, second], lines[2..].Select(line => line.Split(' ')[0]));
        Assert.Contains($"m      {dead.Version}  2         poison", lines[2], StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
    }

    [Fact]
    public async Task Show_prints_the_story_and_the_body()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var id = await dead.AddAsync($$"""{"x":"{{Secret}}"}""", stream: true);
        var (code, output, errors) = await RunAsync("show", id);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("attempt   1: worker-b, 2 parts, lost", output, StringComparison.Ordinal);
        Assert.Contains($"model     m, version {dead.Version}", output, StringComparison.Ordinal);
        Assert.Contains("operation Chat, streamed", output, StringComparison.Ordinal);
        Assert.EndsWith($$"""{"x":"{{Secret}}"}""", output.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal([id], await dead.IdsAsync());
    }

    [Fact]
    public async Task Drop_removes_what_it_is_told_and_says_what_is_not_there()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var (first, second, third) = (await dead.AddAsync(), await dead.AddAsync(), await dead.AddAsync());
        var (code, output, errors) = await RunAsync("drop", first, "nobody", third);
        Assert.Equal(1, code);
        Assert.Equal([$"Dropped {first}.", $"Dropped {third}."], output.Trim().Split('\n').Select(line => line.Trim()));
        Assert.Equal("There is no dead job nobody.", errors.Trim());
        Assert.Equal([second], await dead.IdsAsync());
    }

    [Fact]
    public async Task Requeue_has_the_job_done_prints_the_answer_and_removes_it()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var engine = new ScriptedEngine();
        await using var worker = await WorkerAsync(dead, engine);
        var (whole, streamed, other) = (
            await dead.AddAsync("""{"n":1}"""), await dead.AddAsync("""{"n":2}""", stream: true), await dead.AddAsync());

        var running = RunAsync("requeue", whole, streamed);
        var run = await engine.NextAsync();
        Assert.Equal("""{"n":1}""", System.Text.Encoding.UTF8.GetString(run.Request.Body.Span));
        Assert.Equal([other, streamed], (await dead.IdsAsync()).OrderBy(id => id == streamed)); // One is held while it runs.
        run.Give(ReplyKind.Result, """{"answer":1}""");
        run = await engine.NextAsync();
        run.Give(ReplyKind.Delta, """{"answer":2}""");
        run.Give(ReplyKind.Delta, """{"answer":3}""");
        run.Give(ReplyKind.End);

        var (code, output, errors) = await running;
        Assert.Equal(
            [$"{whole} is answered and removed.", $"{streamed} is answered and removed."],
            errors.Trim().Split('\n').Select(line => line.Trim()));
        Assert.Equal(["""{"answer":1}""", """{"answer":2}""", """{"answer":3}"""], output.Trim().Split('\n').Select(line => line.Trim()));
        Assert.Equal(0, code);
        Assert.Equal([other], await dead.IdsAsync());
    }

    [Fact]
    public async Task Requeue_leaves_a_job_that_fails_again_and_says_why()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var engine = new ScriptedEngine();
        await using var worker = await WorkerAsync(dead, engine);
        var id = await dead.AddAsync();
        var running = RunAsync("requeue", id);
        (await engine.NextAsync()).Fail(new InferenceException(InferenceError.EngineFailed("It cannot be done.")));
        var (code, output, errors) = await running;
        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"{id} failed again and stays where it is: It cannot be done. (engine_error)", errors.Trim());
        Assert.Equal([id], await dead.IdsAsync());
    }

    [Fact]
    public async Task Requeue_leaves_a_job_that_nobody_takes_in_time()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var id = await dead.AddAsync();
        var (code, _, errors) = await RunAsync("requeue", id, "--timeout", "1");
        Assert.Equal(1, code);
        Assert.Contains($"No worker takes jobs of {dead.Queue} yet", errors, StringComparison.Ordinal);
        Assert.Contains($"{id} failed again and stays where it is: no answer within 1 seconds.", errors, StringComparison.Ordinal);
        Assert.Equal([id], await dead.IdsAsync());
    }

    [Fact]
    public async Task Requeue_makes_no_queue_for_a_version_that_is_gone_but_takes_another_version()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var gone = Guid.NewGuid().ToString("N");
        var id = await dead.AddAsync(version: gone);
        var (code, _, errors) = await RunAsync("requeue", id);
        Assert.Equal(1, code);
        Assert.Contains($"there is no queue infer.m.{gone}.default", errors, StringComparison.Ordinal);
        Assert.Equal([id], await dead.IdsAsync());

        var engine = new ScriptedEngine();
        await using var worker = await WorkerAsync(dead, engine);
        var running = RunAsync("requeue", id, "--model-version", dead.Version);
        (await engine.NextAsync()).Give(ReplyKind.Result, "{}");
        Assert.Equal(0, (await running).Code);
        Assert.Empty(await dead.IdsAsync());
    }

    [Fact]
    public async Task Requeue_runs_no_message_that_is_no_job()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        await PublishAsync(dead, "7");
        var (code, _, errors) = await RunAsync("requeue", "7");
        Assert.Equal((1, "7 is not a job; it can be shown and dropped."), (code, errors.Trim()));
        Assert.Equal(["7"], await dead.IdsAsync());
    }

    private async Task<ServiceHost> WorkerAsync(DeadLetterQueue dead, ScriptedEngine engine)
    {
        var worker = await ServiceHost.WorkerAsync(
            engine, ("ConnectionStrings:messaging", server.ConnectionString), ("Model:Version", dead.Version));
        return await worker.ReadyAsync();
    }

    private static async Task PublishAsync(DeadLetterQueue dead, string id)
    {
        await using var connection = await dead.Factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await channel.BasicPublishAsync(
            "", "infer.dead", mandatory: true, new BasicProperties { Persistent = true, MessageId = id }, "?"u8.ToArray());
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var command = new DeadCommand(
            output, errors, new Dictionary<string, string?> { ["ConnectionStrings:messaging"] = server.ConnectionString });
        var code = await command.InvokeAsync(["dead", .. args], CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));
        return (code, output.ToString(), errors.ToString());
    }
}
