using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace AgentPlatform.Tests.AppHost.Dashboard;

/// <summary>
/// The dashboard's view of a request to a model: with prompt and answer if the run records them, and only with its metrics otherwise.
/// </summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public sealed class ConversationTests(PlatformFixture platform)
{
    private const string Question = "How do I plug in vLLM?";
    private const string Answer = "pools.AddVllm";

    [ProgramFact("chromium", "chromium")]
    public async Task StreamedChat_OfAnOrdinaryRun_ShowsModelAndTokensAndNothingOfWhatWasSaid()
    {
        await StreamAsync(platform.Gateway);

        await using var browser = await OpenAsync(platform.Dashboard);

        await Assertions.Expect(browser.Dialog).ToContainTextAsync("tiny-chat", new() { Timeout = DashboardBrowser.Limit });
        var text = await browser.Dialog.InnerTextAsync();
        Assert.DoesNotContain(Question, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Answer, text, StringComparison.Ordinal);
    }

    [ProgramFact("chromium", "chromium")]
    public async Task StreamedChat_OfARunThatAsksForContent_IsAConversation()
    {
        await using var own = PlatformProcess.Start("--Broker:Mode=local", "--Telemetry:MessageContent=true");
        var (gateway, dashboard) = await own.ReadyAsync();
        await StreamAsync(gateway);

        await using var browser = await OpenAsync(dashboard);

        await Assertions.Expect(browser.Dialog).ToContainTextAsync(Question, new() { Timeout = DashboardBrowser.Limit });
        await Assertions.Expect(browser.Dialog).ToContainTextAsync(Answer, new() { Timeout = DashboardBrowser.Limit });
    }

    /// <summary>Opens the view of the gateway's span of the chat.</summary>
    private static async Task<DashboardBrowser> OpenAsync(Uri dashboard)
    {
        var browser = await DashboardBrowser.OpenAsync(dashboard, height: 1200);
        await browser.OpenChatTraceAsync();
        var row = browser.Page.GetByRole(AriaRole.Row, new() { NameRegex = new Regex("^gateway: chat tiny-chat") });
        await row.GetByTitle("GenAI details").ClickAsync();
        return browser;
    }

    private static async Task StreamAsync(Uri gateway)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        using var response = await http.PostAsJsonAsync(
            "v1/chat/completions",
            new { model = "tiny-chat", stream = true, messages = new[] { new { role = "user", content = Question } } });
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
