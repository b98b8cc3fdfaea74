using System.Text;
using AgentPlatform.Api;
using AgentPlatform.Api.Catalogue;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Api;

/// <summary>The HTTP surface on a real server, over a <see cref="FakeInference"/> and a clock that the test moves.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app, FakeInference inference, FakeTimeProvider time)
    {
        (_app, Inference, Time) = (app, inference, time);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(1) };
    }

    public FakeInference Inference { get; }

    public FakeTimeProvider Time { get; }

    public HttpClient Client { get; }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static Task<ApiHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(_ => { }, settings);

    public static Task<ApiHost> StartAsync(Action<IServiceCollection> configure, params (string Key, string Value)[] settings) =>
        StartAsync(configure, settings, "http://127.0.0.1:0");

    public static async Task<ApiHost> StartAsync(
        Action<IServiceCollection> configure, (string Key, string Value)[] settings, string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls(address);
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        var inference = new FakeInference();
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IModelCatalogue>(inference);
        builder.AddInferenceApi();
        configure(builder.Services);
        var app = builder.Build();
        app.MapHealthChecks("/health");
        app.MapInferenceApi();
        await app.StartAsync();
        return new ApiHost(app, inference, time);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, CancellationToken cancellationToken = default) =>
        PostAsync(path, Encoding.UTF8.GetBytes(json), cancellationToken);

    public async Task<HttpResponseMessage> PostAsync(
        string path, byte[] body, CancellationToken cancellationToken = default, params (string Name, string Value)[] headers)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = new ByteArrayContent(body),
        };
        message.Content.Headers.ContentType = new("application/json");
        foreach (var (name, value) in headers)
        {
            message.Headers.Add(name, value);
        }

        return await Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>The body of a stream that fails: it must not look complete, and what was sent arrives all the same.</summary>
    public static async Task<string> ReadTruncatedAsync(HttpResponseMessage response)
    {
        using var received = new MemoryStream();
        await using var content = await response.Content.ReadAsStreamAsync();
        await Assert.ThrowsAsync<HttpIOException>(() => content.CopyToAsync(received).WaitAsync(TimeSpan.FromMinutes(1)));
        return Encoding.UTF8.GetString(received.ToArray());
    }

    /// <summary>What SIGTERM does; the task ends when the process would.</summary>
    public Task StopAsync()
    {
        _app.Lifetime.StopApplication();
        return _app.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
