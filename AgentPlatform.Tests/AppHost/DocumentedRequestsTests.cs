using System.Text.RegularExpressions;
using AgentPlatform.Tests.Docs;

namespace AgentPlatform.Tests.AppHost;

/// <summary>The requests that README.md suggests for a platform that has just been started.</summary>
[Trait("Category", "AppHost")]
[Collection(ApplicationGroup.Name)]
public sealed partial class DocumentedRequestsTests(ApplicationFixture platform)
{
    public static TheoryData<string> Requests =>
        [.. Documentation.Blocks("README.md", "sh").SelectMany(block => Request().Matches(block)).Select(match => match.Value)];

    [Theory, MemberData(nameof(Requests))]
    public async Task ARequest_IsAnswered(string command)
    {
        var here = command
            .Replace("curl ", "curl --fail --silent --show-error --max-time 100 ", StringComparison.Ordinal)
            .Replace("localhost:8080", platform.Gateway.Authority, StringComparison.Ordinal);

        var answer = (await TiedProcess.RunAsync(TimeSpan.FromMinutes(2), "bash", ["-c", here])).Checked();

        var expected = command.Contains("chat/completions", StringComparison.Ordinal) ? "data: [DONE]" : "\"sentiment\":";
        Assert.Contains(expected, answer, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^curl (?:[^\n\\]|\\\n|\\.)+", RegexOptions.Multiline)]
    private static partial Regex Request();
}
