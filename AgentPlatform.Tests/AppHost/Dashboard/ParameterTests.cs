using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace AgentPlatform.Tests.AppHost.Dashboard;

/// <summary>The dashboard asks for a provider's API key that is not configured.</summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public sealed partial class ParameterTests
{
    [ProgramFact("chromium", "chromium")]
    public async Task Key_ThatIsMissing_IsAskedForAndItsPoolWaits()
    {
        await using var platform = PlatformProcess.Start("--Broker:Mode=local", "--Pools:tiny-chat:Server=https://provider.invalid/v1");
        await Wait.UntilAsync(() => Login().IsMatch(platform.Output));

        await using var browser = await DashboardBrowser.OpenAsync(new Uri(Login().Match(platform.Output).Groups[1].Value), height: 900);
        await Assertions.Expect(browser.Rows("sentiment")).ToContainTextAsync("Running", new() { Timeout = DashboardBrowser.Limit });
        await Assertions.Expect(browser.Rows("tiny-chat").Filter(new() { HasText = "Running" })).ToHaveCountAsync(0);

        await browser.Page.Locator("fluent-button").Filter(new() { HasText = "Enter values" }).ClickAsync();
        await browser.Dialog.Locator("fluent-text-input").First.ClickAsync();
        await browser.Page.Keyboard.TypeAsync("sk-test");
        await browser.Dialog.Locator("fluent-button[appearance=primary]").ClickAsync();

        await Assertions.Expect(browser.Rows("tiny-chat").Filter(new() { HasText = "Running" }))
            .ToHaveCountAsync(2, new() { Timeout = DashboardBrowser.Limit });
        Assert.DoesNotContain("sk-test", platform.Output, StringComparison.Ordinal);
    }

    // Aspire's own line: the platform's ready line is printed only after the key has been entered.
    [GeneratedRegex(@"Login to the dashboard at (\S+)")]
    private static partial Regex Login();
}
