using System.Net;

namespace AgentPlatform.Tests.AppHost;

/// <summary>The callers that a local run accepts.</summary>
[Trait("Category", "AppHost")]
[Collection(PlatformGroup.Name)]
public class LocalCallersTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("rebound.example.com", HttpStatusCode.BadRequest)]
    public async Task A_name_that_is_not_this_machines_is_refused(string host, HttpStatusCode status)
    {
        using var response = await SendAsync("Host", host);
        Assert.Equal(status, response.StatusCode);
    }

    [Theory]
    [InlineData("http://localhost:5173", true)]
    [InlineData("https://example.com", false)]
    public async Task Pages_of_this_machine_may_call(string origin, bool mayCall)
    {
        using var response = await SendAsync("Origin", origin);
        Assert.Equal(mayCall, response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private async Task<HttpResponseMessage> SendAsync(string header, string value)
    {
        using var http = new HttpClient { BaseAddress = platform.Gateway };
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri("/v1/models", UriKind.Relative));
        message.Headers.TryAddWithoutValidation(header, value);
        return await http.SendAsync(message);
    }
}
