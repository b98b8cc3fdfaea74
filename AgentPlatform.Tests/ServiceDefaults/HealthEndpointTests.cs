using System.Net;
using AgentPlatform.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Tests.ServiceDefaults;

public sealed class HealthEndpointTests
{
    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Health_InEveryEnvironment_AnswersReadinessAndLiveness(string environment)
    {
        await using var app = await StartAsync(environment, HealthCheckResult.Healthy());
        var client = app.GetTestClient();

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/alive", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Health_WhenADependencyIsAway_FailsReadinessButNotLiveness()
    {
        await using var app = await StartAsync("Production", HealthCheckResult.Unhealthy("broker away"));
        var client = app.GetTestClient();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/alive", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Ready_WhenWhatAllShareIsAway_StaysSoAndOtherwiseDoesNot()
    {
        await using var shared = await StartAsync(
            "Production", HealthCheckResult.Unhealthy("broker away"), ServiceDefaultsExtensions.SharedTag);
        await using var own = await StartAsync("Production", HealthCheckResult.Unhealthy("stopping"));

        Assert.Equal(HttpStatusCode.OK, (await shared.GetTestClient().GetAsync(new Uri("/ready", UriKind.Relative))).StatusCode);
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await shared.GetTestClient().GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await own.GetTestClient().GetAsync(new Uri("/ready", UriKind.Relative))).StatusCode);
    }

    private static async Task<WebApplication> StartAsync(string environment, HealthCheckResult dependency, params string[] tags)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks().AddCheck("dependency", () => dependency, tags);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync();
        return app;
    }
}
