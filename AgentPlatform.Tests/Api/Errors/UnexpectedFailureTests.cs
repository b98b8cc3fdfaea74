using System.Net;

namespace AgentPlatform.Tests.Api.Errors;

public sealed class UnexpectedFailureTests
{
    [Fact]
    public async Task A_failure_that_nobody_foresaw_is_500_and_tells_nothing_of_the_inside()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => throw new NotSupportedException("secret");
        using var response = await host.PostAsync("/v1/chat/completions", """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""");
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.StartsWith("""{"error":{"message":""", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        Assert.True(response.Headers.Contains("x-request-id"));
    }
}
