using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Deploy;

/// <summary>deploy/smoke.sh: passes where answers are whole, else fails with a sentence; and ends in time, whatever it meets.</summary>
public sealed partial class SmokeTests : IAsyncLifetime
{
    private const string Chat = """{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}""";
    private const string Stream =
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{\"delta\":{},"
            + "\"finish_reason\":\"stop\"}]}\n\n";
    private const string Done = "data: [DONE]\n\n";

    private static readonly string _script = Path.Combine(Repository.Root, "deploy", "smoke.sh");

    private readonly TaskCompletionSource _ends = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication _server = null!;
    private string _stream = Stream + Done;
    private string? _silent;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync();
    }

    public async Task DisposeAsync()
    {
        _ends.SetResult();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task WholeAnswers_Pass() =>
        Assert.Contains(
            "answers, with 'tiny-chat' to the end", (await RunAsync(_server.Urls.Single())).Checked(), StringComparison.Ordinal);

    [Fact]
    public async Task AStreamThatIsCutOff_Fails()
    {
        _stream = Stream;

        Assert.Contains("does not end with data: [DONE]", (await RunAsync(_server.Urls.Single())).Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health", "waiting for http://.*/health, up to \\d+ s more: ", "/health is not healthy: ")]
    [InlineData("/v1/models", "", "/v1/models: ")]
    [InlineData(
        "/v1/chat/completions", "waiting for the first answer of 'tiny-chat', up to \\d+ s", "the chat with 'tiny-chat' has no answer: ")]
    [InlineData("/analyze", "waiting for an answer of 'sentiment', up to \\d+ s", "/analyze: ")]
    public async Task WhatNeverAnswers_IsSaidAndGivenUp(string path, string waiting, string sentence)
    {
        _silent = path;

        var errors = (await RunAsync(_server.Urls.Single(), seconds: 5)).Refused();

        Assert.Matches(waiting, errors);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAddressWhereNobodyIs_IsSaidAndGivenUp()
    {
        var address = _server.Urls.Single();
        await _server.StopAsync();

        var errors = (await RunAsync(address, seconds: 3)).Refused();

        Assert.Contains("waiting for", errors, StringComparison.Ordinal);
        Assert.Contains("is not healthy", errors, StringComparison.Ordinal);
    }

    // Each wait ends by what is left of the time, but for the question in progress, which has three seconds.
    [Fact]
    public async Task ItsTime_IsLessThanTwoMinutes() =>
        Assert.InRange(int.Parse(Seconds().Match(await File.ReadAllTextAsync(_script)).Groups[1].Value, null), 60, 114);

    private static Task<EndedProcess> RunAsync(string address, int seconds = 60) => TiedProcess.RunAsync(
        TimeSpan.FromMinutes(2), _script, [address],
        start => start.Environment["SMOKE_SECONDS"] = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (path == _silent)
        {
            await _ends.Task;
            return;
        }

        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        await context.Response.WriteAsync(path switch
        {
            "/health" => "Healthy",
            "/v1/models" => """{"data":[{"id":"tiny-chat"},{"id":"sentiment"}]}""",
            "/analyze" => """{"sentiment":"Positive","confidence":0.9}""",
            _ => body.Contains("\"stream\":true", StringComparison.Ordinal) ? _stream : Chat,
        });
    }

    [GeneratedRegex("SMOKE_SECONDS:-([0-9]+)")]
    private static partial Regex Seconds();
}
