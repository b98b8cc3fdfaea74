using System.Net;
using System.Threading.Channels;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.OpenAI;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Tests.Worker.Engines.OpenAI;

public sealed class OpenAIEngineTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly PauseTime _time = new();
    private readonly ScriptedServer _server = new();
    private readonly HttpClient _http;

    public OpenAIEngineTests() => _http = new HttpClient(_server, disposeHandler: false);

    public void Dispose()
    {
        _http.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task The_engine_is_loaded_when_the_server_lists_its_models()
    {
        var load = Create(apiKey: "secret").LoadAsync(CancellationToken.None);
        var request = await _server.AnswerAsync(HttpStatusCode.OK);
        await load.WaitAsync(_limit);
        Assert.Equal("http://gpu:8000/v1/models", request.RequestUri!.AbsoluteUri);
        Assert.Equal("Bearer secret", request.Headers.Authorization!.ToString());
    }

    [Fact]
    public async Task The_engine_waits_for_a_server_that_still_loads_its_model()
    {
        var load = Create().LoadAsync(CancellationToken.None);
        Assert.Null((await _server.AnswerAsync(HttpStatusCode.ServiceUnavailable)).Headers.Authorization);
        await _time.PassPauseAsync();
        await _server.FailAsync();
        await _time.PassPauseAsync();
        Assert.False(load.IsCompleted);
        await _server.AnswerAsync(HttpStatusCode.OK);
        await load.WaitAsync(_limit);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task A_refused_key_is_a_mistake_that_waiting_does_not_mend(HttpStatusCode status)
    {
        var load = Create(apiKey: "wrong").LoadAsync(CancellationToken.None);
        await _server.AnswerAsync(status);
        var error = await Assert.ThrowsAsync<EngineLoadException>(() => load.WaitAsync(_limit));
        Assert.Contains("OpenAI:ApiKey", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_stops_does_not_wait_for_the_server()
    {
        using var stop = new CancellationTokenSource();
        var load = Create().LoadAsync(stop.Token);
        await _server.AnswerAsync(HttpStatusCode.ServiceUnavailable);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load.WaitAsync(_limit));
    }

    private OpenAIEngine Create(string? apiKey = null) =>
        new(_http, new OpenAIEndpoint(new Uri("http://gpu:8000/v1"), "big", apiKey), _time, NullLogger<OpenAIEngine>.Instance);

    /// <summary>A server whose answers the test gives.</summary>
    private sealed class ScriptedServer : HttpMessageHandler
    {
        private readonly Channel<(HttpRequestMessage Request, TaskCompletionSource<HttpResponseMessage> Response)> _requests =
            Channel.CreateUnbounded<(HttpRequestMessage, TaskCompletionSource<HttpResponseMessage>)>();

        public async Task<HttpRequestMessage> AnswerAsync(HttpStatusCode status)
        {
            var (request, response) = await NextAsync();
            response.SetResult(new HttpResponseMessage(status));
            return request;
        }

        public async Task FailAsync() => (await NextAsync()).Response.SetException(new HttpRequestException("Connection refused"));

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
            _requests.Writer.TryWrite((request, response));
            return response.Task.WaitAsync(cancellationToken);
        }

        private Task<(HttpRequestMessage Request, TaskCompletionSource<HttpResponseMessage> Response)> NextAsync() =>
            _requests.Reader.ReadAsync().AsTask().WaitAsync(_limit);
    }
}
