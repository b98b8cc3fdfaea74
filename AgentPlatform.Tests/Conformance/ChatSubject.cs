using System.Text;
using System.Text.Json;

namespace AgentPlatform.Tests.Conformance;

/// <summary>A worker that serves the model <see cref="Model"/>. Subjects differ in configuration and in nothing else.</summary>
public abstract class ChatSubject : IAsyncLifetime
{
    /// <summary>Name of the model, whatever stands behind it.</summary>
    public const string Model = "tiny-chat";

    private ServiceHost? _worker;

    /// <summary>How many tokens prompt and answer may have together; null if there is no limit.</summary>
    public abstract int? ContextSize { get; }

    public Uri Address => Worker.Address;

    /// <summary>How many requests are in the engine.</summary>
    public int ActiveSlots => Worker.ActiveSlots;

    private ServiceHost Worker => _worker ?? throw new InvalidOperationException("The worker has not started.");

    public async Task InitializeAsync() =>
        _worker = await (await ServiceHost.WorkerAsync([("Model:Name", Model), .. await StartAsync()])).ReadyAsync();

    public async Task DisposeAsync()
    {
        if (_worker is not null)
        {
            await _worker.DisposeAsync();
        }

        await StopAsync();
    }

    public async Task<HttpResponseMessage> PostAsync(
        string path, string json, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
        };
        return await Worker.Http.SendAsync(request, completion);
    }

    /// <summary>A stream as its bytes say it, read to its end.</summary>
    internal async Task<ChatStream> StreamAsync(string json)
    {
        using var response = await PostAsync("/v1/chat/completions", json);
        return await ChatStream.ReadAsync(response);
    }

    /// <summary>A whole answer.</summary>
    internal async Task<WholeChat> CompleteAsync(string json, string path = "/v1/chat/completions")
    {
        using var response = await PostAsync(path, json);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return WholeChat.Read(JsonDocument.Parse(body).RootElement);
    }

    /// <summary>Starts what stands behind the worker, if anything; the settings that lead to it.</summary>
    protected abstract Task<IEnumerable<(string Key, string Value)>> StartAsync();

    /// <summary>Ends it.</summary>
    protected virtual Task StopAsync() => Task.CompletedTask;
}
