using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace AgentPlatform.Tests.AppHost.Dashboard;

/// <summary>Chromium on the dashboard's first page, logged in with the link that the application host prints.</summary>
internal sealed class DashboardBrowser : IAsyncDisposable
{
    /// <summary>How long an element may take to appear, in milliseconds.</summary>
    public const float Limit = 90_000;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly Uri _address;

    private DashboardBrowser(IPlaywright playwright, IBrowser browser, IPage page, Uri address) =>
        (_playwright, _browser, Page, _address) = (playwright, browser, page, address);

    public IPage Page { get; }

    /// <summary>The open dialog.</summary>
    public ILocator Dialog => Page.Locator("fluent-dialog");

    /// <param name="address">The dashboard's address with its login token.</param>
    /// <param name="height">Height of the window in pixels: the dashboard renders only visible rows.</param>
    public static async Task<DashboardBrowser> OpenAsync(Uri address, int height = 4000)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = ProgramFactAttribute.Find("chromium"),
            Args = ["--no-sandbox"],
        });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = height > 2000 ? 1920 : 1400, Height = height } });
        page.SetDefaultTimeout(Limit);
        await page.GotoAsync(address.ToString());
        return new DashboardBrowser(playwright, browser, page, address);
    }

    /// <summary>Goes to another page of the dashboard.</summary>
    public Task GoToAsync(string path) => Page.GotoAsync(new Uri(_address, path).ToString());

    /// <summary>The rows whose first cell begins with a name.</summary>
    public ILocator Rows(string name) =>
        Page.Locator("[role=row]").Filter(new() { HasTextRegex = new Regex($@"^\s*{Regex.Escape(name)}") });

    /// <summary>Runs a command from a resource's menu.</summary>
    public async Task RunAsync(string resource, string command)
    {
        await Rows(resource).First.GetByTitle("Actions").ClickAsync();
        await Page.GetByRole(AriaRole.Menuitem, new() { Name = command }).ClickAsync();
    }

    /// <summary>Opens the latest trace of a chat.</summary>
    public async Task OpenChatTraceAsync()
    {
        await GoToAsync("/traces");
        await Page.GetByText("POST /v1/chat/completions").First.ClickAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
