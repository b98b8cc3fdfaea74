using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace AgentPlatform.Tests.AppHost.Dashboard;

/// <summary>The dashboard's pages and commands, in a real browser.</summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public partial class DashboardTests(PlatformFixture platform)
{
    [ProgramFact("chromium", "chromium")]
    public async Task Resources_OfTheTopology_RunAndNothingIsRed()
    {
        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard, height: 560);
        foreach (var resource in new[] { "messaging", "gateway", "sentiment", "tiny-chat-" })
        {
            await Assertions.Expect(browser.Rows(resource).First).ToContainTextAsync("Running", new() { Timeout = DashboardBrowser.Limit });
        }

        await Assertions.Expect(browser.Rows("tiny-chat-")).ToHaveCountAsync(2);
        await Assertions.Expect(browser.Page.GetByText("No trusted development certificate")).ToHaveCountAsync(0);

        // The red number of errors behind a name.
        await Assertions.Expect(browser.Page.Locator("a[href*='logLevel=error']")).ToHaveCountAsync(0);

        // eng/screenshot.sh
        if (Environment.GetEnvironmentVariable("AGENTPLATFORM_SCREENSHOT") is { Length: > 0 } path)
        {
            await browser.Page.ScreenshotAsync(new() { Path = path });
        }
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Links_OfTheGateway_LeadToApiReferenceAndHealth()
    {
        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);
        var links = browser.Rows("gateway").GetByRole(AriaRole.Link);
        await Assertions.Expect(links).ToHaveTextAsync(["API", "Reference", "Health"], new() { Timeout = DashboardBrowser.Limit });

        using var http = new HttpClient();
        foreach (var link in await links.AllAsync())
        {
            using var response = await http.GetAsync(new Uri((await link.GetAttributeAsync("href"))!));
            Assert.True(response.IsSuccessStatusCode, $"{await link.TextContentAsync()}: {response.StatusCode}");
        }
    }

    [ProgramFact("chromium", "chromium")]
    public Task Ask_AChatModel_ShowsItsAnswer() => AskAsync(model: null, "How do I plug in vLLM?", "pools.AddVllm");

    [ProgramFact("chromium", "chromium")]
    public Task Ask_TheClassifier_ShowsItsJudgement() =>
        AskAsync("sentiment", "I love this, it works great, thank you so much!", "Positive");

    [ProgramFact("chromium", "chromium")]
    public async Task DeadJobs_OfWhichThereAreNone_AreAnEmptyList()
    {
        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);

        await browser.RunAsync("gateway", "Show dead jobs");

        await Assertions.Expect(browser.Dialog).ToContainTextAsync(
            new Regex(@"ID\s+DIED \(UTC\)\s+MODEL"), new() { Timeout = DashboardBrowser.Limit });
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Replica_Stopped_LeavesTheOtherServingAndComesBack()
    {
        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);
        var replicas = browser.Rows("tiny-chat-");
        await Assertions.Expect(replicas).ToHaveCountAsync(2, new() { Timeout = DashboardBrowser.Limit });

        var running = replicas.Filter(new() { HasText = "Running" });

        await replicas.First.GetByTitle("Stop resource").ClickAsync();
        await Assertions.Expect(running).ToHaveCountAsync(1, new() { Timeout = DashboardBrowser.Limit });
        for (var i = 0; i < 4; i++)
        {
            await ChatAsync();
        }

        await browser.Page.GetByTitle("Start resource").First.ClickAsync();
        await Assertions.Expect(running).ToHaveCountAsync(2, new() { Timeout = DashboardBrowser.Limit });
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Trace_OfAChat_CoversRequestPublishConsumeEngineAndReply()
    {
        await ChatAsync();

        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);
        await browser.OpenChatTraceAsync();

        // Rows of a trace are named "tiny-chat-jgntmmsd: chat tiny-chat 1.67s"; the dashboard shows messaging spans as "MSG system queue".
        string[] spans =
        [
            "^gateway: POST .v1.chat.completions", // An unescaped slash would end the expression.
            "^gateway: chat tiny-chat",
            @"^gateway: MSG rabbitmq infer\.tiny-chat",
            @"^tiny-chat-\w+: MSG rabbitmq infer\.tiny-chat",
            @"^tiny-chat-\w+: chat tiny-chat",
            @"^gateway: MSG rabbitmq infer\.reply",
        ];
        foreach (var span in spans)
        {
            await Assertions.Expect(browser.Page.GetByRole(AriaRole.Row, new() { NameRegex = new Regex(span) }).First)
                .ToBeVisibleAsync(new() { Timeout = DashboardBrowser.Limit });
        }
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Traces_OfManyChats_NameBothReplicas()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ChatAsync()));

        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);
        await browser.GoToAsync("/traces");
        await Wait.UntilAsync(async () =>
            Replica().Matches(await browser.Page.Locator("body").InnerTextAsync()).Select(match => match.Value).Distinct().Count() == 2);
    }

    private async Task AskAsync(string? model, string question, string answer)
    {
        await using var browser = await DashboardBrowser.OpenAsync(platform.Dashboard);
        await browser.Rows("gateway").GetByTitle("Asks one of the platform's models and shows its answer.").ClickAsync();
        await browser.Dialog.Locator("fluent-text-input").ClickAsync();
        await browser.Page.Keyboard.TypeAsync(question);
        if (model is not null)
        {
            await browser.Dialog.GetByRole(AriaRole.Combobox).ClickAsync();
            await browser.Page.Locator("fluent-option").Filter(new() { HasText = model }).ClickAsync();
        }

        await browser.Dialog.Locator("fluent-button").Filter(new() { HasText = "Ask a model" }).ClickAsync();

        await Assertions.Expect(browser.Dialog.Filter(new() { HasText = answer }))
            .ToHaveCountAsync(1, new() { Timeout = DashboardBrowser.Limit });
    }

    private async Task ChatAsync()
    {
        using var http = new HttpClient { BaseAddress = platform.Gateway };
        using var response = await http.PostAsJsonAsync(
            "v1/chat/completions", new { model = "tiny-chat", messages = new[] { new { role = "user", content = "Hello" } } });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    // The dashboard shows replicas with the suffix that the orchestrator adds to their names, "tiny-chat-jgntmmsd".
    [GeneratedRegex("tiny-chat-[a-z]{8}")]
    private static partial Regex Replica();
}
