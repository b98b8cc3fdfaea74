using System.Net;
using AgentPlatform.Messaging.Contracts;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Errors;

public sealed class UnforeseenFailureTests
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_the_first_token_it_is_one_event_and_no_good_end(bool badPart)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => badPart ? Parts(Text("a"), Delta("no object"), End()) : Breaking(Text("a"));
        using var response = await host.PostAsync("/v1/chat/completions", """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""");
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(3, events.Length);
        Assert.Contains("\"content\":\"a\"", events[0], StringComparison.Ordinal);
        Assert.StartsWith("data: {\"error\":{\"message\":", events[1], StringComparison.Ordinal);
        Assert.EndsWith("\"code\":\"internal_error\"}}", events[1], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", events[1], StringComparison.Ordinal);
        Assert.Empty(events[2]);
    }

    private static async IAsyncEnumerable<ReplyPart> Breaking(ReplyPart first)
    {
        await Task.Yield();
        yield return first;
        throw new NotSupportedException("secret");
    }
}
