using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace AgentPlatform.Tests.AppHost;

/// <summary>What a developer sees in the dashboard, in a real browser.</summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public partial class DashboardTests(PlatformFixture platform)
{
    private const float Limit = 90_000;

    [ProgramFact("chromium", "chromium")]
    public async Task Resources_OfTheTopology_RunAndAreHealthy()
    {
        await using var browser = await Browser.OpenAsync(platform.Dashboard);
        var rows = browser.Page.Locator("fluent-data-grid-row, tr[role=row], [role=row]");
        foreach (var resource in new[] { "gateway", "messaging", "sentiment", "tiny-chat" })
        {
            var row = rows.Filter(new() { HasTextRegex = new Regex($@"\b{resource}") }).First;
            await Assertions.Expect(row).ToContainTextAsync("Running", new() { Timeout = Limit });
        }
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Trace_OfAChat_CoversRequestPublishConsumeEngineAndReply()
    {
        await ChatAsync();

        await using var browser = await Browser.OpenAsync(platform.Dashboard);
        await browser.Page.GotoAsync(new Uri(platform.Dashboard, "/traces").ToString());
        await browser.Page.GetByText("POST /v1/chat/completions").First.ClickAsync(new() { Timeout = Limit });

        // The rows of a trace are named like "tiny-chat-jgntmmsd: chat tiny-chat 1.67s"; the dashboard writes messaging spans as "MSG system queue".
        string[] spans =
        [
            "^gateway: POST .v1.chat.completions", // An unescaped slash would end the expression.
            @"^gateway: MSG rabbitmq infer\.tiny-chat",
            @"^tiny-chat-\w+: MSG rabbitmq infer\.tiny-chat",
            @"^tiny-chat-\w+: chat tiny-chat",
            @"^gateway: MSG rabbitmq infer\.reply",
        ];
        foreach (var span in spans)
        {
            await Assertions.Expect(browser.Page.GetByRole(AriaRole.Row, new() { NameRegex = new Regex(span) }).First).ToBeVisibleAsync(new() { Timeout = Limit });
        }
    }

    [ProgramFact("chromium", "chromium")]
    public async Task Traces_OfManyChats_NameBothReplicas()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => ChatAsync()));

        await using var browser = await Browser.OpenAsync(platform.Dashboard);
        await browser.Page.GotoAsync(new Uri(platform.Dashboard, "/traces").ToString());
        await Messaging.Side.UntilAsync(async () =>
            Replica().Matches(await browser.Page.Locator("body").InnerTextAsync()).Select(match => match.Value).Distinct().Count() == 2);
    }

    private async Task ChatAsync()
    {
        using var http = new HttpClient { BaseAddress = platform.Gateway };
        using var response = await http.PostAsJsonAsync("v1/chat/completions", new { model = "tiny-chat", messages = new[] { new { role = "user", content = "Hello" } } });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    // The dashboard tells replicas apart by what the orchestrator adds to their names, "tiny-chat-jgntmmsd".
    [GeneratedRegex("tiny-chat-[a-z]{8}")]
    private static partial Regex Replica();

    /// <summary>Chromium with the dashboard's first page, logged in by the link that the application host prints.</summary>
    private sealed class Browser(IPlaywright playwright, IBrowser browser, IPage page) : IAsyncDisposable
    {
        public IPage Page => page;

        public static async Task<Browser> OpenAsync(Uri dashboard)
        {
            var playwright = await Playwright.CreateAsync();
            var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = ProgramFactAttribute.Find("chromium"), Args = ["--no-sandbox"] });

            // High enough for all rows: the dashboard only makes those that can be seen.
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1920, Height = 4000 } });
            await page.GotoAsync(dashboard.ToString(), new() { Timeout = Limit });
            return new Browser(playwright, browser, page);
        }

        public async ValueTask DisposeAsync()
        {
            await browser.DisposeAsync();
            playwright.Dispose();
        }
    }
}
