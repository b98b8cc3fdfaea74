using AgentPlatform.Worker.Engines.Running;
using AgentPlatform.Worker.Scaling;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Scaling;

/// <summary>A worker tells the cluster how busy it is, and nothing of the worker depends on it.</summary>
public sealed class DeletionCostTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly EngineSlots _slots = new(total: 2, Meters.OfEngine());
    private readonly LogLines _log = new();
    private WebApplication? _worker;

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
        {
            await _worker.StopAsync();
            await _worker.DisposeAsync();
        }

        _slots.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task TheCost_IsTheNumberOfRequestsThatRunOrWait()
    {
        await using var api = await ClusterApi.StartAsync();
        await StartAsync(api);
        await UntilAsync(() => api.Costs.SequenceEqual(["0"]));

        var first = await _slots.EnterAsync(alone: false, CancellationToken.None);
        var second = await _slots.EnterAsync(alone: false, CancellationToken.None);
        var waiting = _slots.EnterAsync(alone: false, CancellationToken.None).AsTask();
        await UntilAsync(() => api.Costs.SequenceEqual(["0", "3"]));

        first.Dispose();
        (await waiting).Dispose();
        second.Dispose();
        await UntilAsync(() => api.Costs.SequenceEqual(["0", "3", "0"]));
        Assert.Equal(0, api.Refused);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task TheToken_IsReadEachTime()
    {
        await using var api = await ClusterApi.StartAsync();
        await StartAsync(api);
        await UntilAsync(() => api.Costs.Count == 1);

        await api.ReplaceTokenAsync();
        using var busy = await _slots.EnterAsync(alone: false, CancellationToken.None);
        await UntilAsync(() => api.Costs.SequenceEqual(["0", "1"]));

        Assert.Equal(0, api.Refused);
    }

    [Fact]
    public async Task ARefusal_IsLoggedOnceAndTriedAgain()
    {
        await using var api = await ClusterApi.StartAsync();
        api.IsAllowed = false;
        await StartAsync(api);
        await UntilAsync(() => api.Refused >= 3);

        var line = Assert.Single(_log.Lines);
        Assert.Contains("403", line, StringComparison.Ordinal);
        Assert.Contains("is forbidden", line, StringComparison.Ordinal);

        api.IsAllowed = true;
        await UntilAsync(() => api.Costs.SequenceEqual(["0"]) && _log.Lines.Count == 2);
        Assert.EndsWith("again", _log.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServerOfAnotherAuthority_GetsNoToken()
    {
        await using var api = await ClusterApi.StartAsync();
        await using var other = await ClusterApi.StartAsync();
        await StartAsync(api, other.Credentials);
        await UntilAsync(() => _log.Lines.Count == 1);

        Assert.Empty(api.Costs);
        Assert.Equal(0, api.Refused);
    }

    [Fact]
    public async Task APodWithoutCredentials_Works()
    {
        await using var api = await ClusterApi.StartAsync();
        await StartAsync(api, "/nowhere");
        await UntilAsync(() => _log.Lines.Count == 1);

        Assert.False(_worker!.Lifetime.ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public void WithoutTheSetting_NothingIsWritten()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddDeletionCost();

        Assert.DoesNotContain(builder.Services, service => service.ServiceType == typeof(PodApi));
    }

    [Theory]
    [InlineData("Kubernetes:PodName", "")]
    [InlineData("KUBERNETES_SERVICE_HOST", "")]
    public async Task AMissingSetting_IsNamed(string key, string named)
    {
        await using var api = await ClusterApi.StartAsync();

        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(api, settings: (key, named)));

        Assert.Contains(key, mistake.Message, StringComparison.Ordinal);
    }

    private async Task StartAsync(ClusterApi api, string? credentials = null, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        foreach (var (key, value) in ((string, string)[])
        [
            ("Kubernetes:DeletionCost", "true"),
            ("Kubernetes:PodName", ClusterApi.Pod),
            ("Kubernetes:Credentials", credentials ?? api.Credentials),
            ("KUBERNETES_SERVICE_HOST", api.Address.Host),
            ("KUBERNETES_SERVICE_PORT", $"{api.Address.Port}"),
            .. settings,
        ])
        {
            builder.Configuration[key] = value;
        }

        builder.Logging.ClearProviders().AddProvider(_log);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddSingleton(_slots);
        builder.AddDeletionCost();
        _worker = builder.Build();
        await _worker.StartAsync();
    }

    private Task UntilAsync(Func<bool> condition) => Wait.UntilAsync(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return Task.FromResult(condition());
    });
}
