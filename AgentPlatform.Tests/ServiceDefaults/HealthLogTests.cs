using System.Collections.Concurrent;
using System.Net;
using AgentPlatform.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.ServiceDefaults;

public sealed class HealthLogTests
{
    [Fact]
    public async Task What_is_not_ready_yet_is_no_error_and_a_failure_after_it_is_one_line_for_many_probes()
    {
        var log = new AllLines();
        var state = HealthCheckResult.Unhealthy("Not connected yet.");
        await using var app = await StartAsync(log, () => state);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ProbeAsync(app));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ProbeAsync(app));
        state = HealthCheckResult.Healthy();
        Assert.Equal(HttpStatusCode.OK, await ProbeAsync(app));
        Assert.Empty(Troubles());

        state = HealthCheckResult.Unhealthy("The broker is away.");
        for (var probe = 0; probe < 10; probe++)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await ProbeAsync(app));
        }

        Assert.Contains("The broker is away.", Assert.Single(Troubles()), StringComparison.Ordinal);

        List<string> Troubles() => [.. log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)];
    }

    [Fact]
    public async Task A_check_that_throws_is_an_error_also_at_the_start()
    {
        var log = new AllLines();
        await using var app = await StartAsync(log, () => throw new InvalidOperationException("broken"));
        await ProbeAsync(app);
        Assert.Contains(log.Lines, line => line.Level == LogLevel.Error);
    }

    private static async Task<HttpStatusCode> ProbeAsync(WebApplication app)
    {
        using var response = await app.GetTestClient().GetAsync(new Uri("/health", UriKind.Relative));
        return response.StatusCode;
    }

    private static async Task<WebApplication> StartAsync(AllLines log, Func<HealthCheckResult> check)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks().AddCheck("dependency", check);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync();
        return app;
    }

    /// <summary>Keeps what everybody logs, the framework included.</summary>
    private sealed class AllLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue((logLevel, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
