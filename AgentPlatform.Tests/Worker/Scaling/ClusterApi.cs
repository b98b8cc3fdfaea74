using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Worker.Scaling;

/// <summary>
/// The API of a cluster with one pod, as far as the pod's status can be patched: TLS by an authority of its own, a bearer token, a role,
/// and JSON merge patches by their media type. It refuses whatever else it is asked, as the real one does. The credentials are in a
/// folder, as pods have them.
/// </summary>
internal sealed class ClusterApi : IAsyncDisposable
{
    public const string Pod = "sentiment-deployment-7d9f-x2x4v";

    private const string Path = $"/api/v1/namespaces/models/pods/{Pod}/status";
    private const string PatchType = "application/merge-patch+json";

    private readonly ConcurrentQueue<string> _costs = new();
    private readonly WebApplication _app;
    private int _refused;

    private ClusterApi(WebApplication app, string folder)
    {
        (_app, Credentials) = (app, folder);
        app.Run(AnswerAsync);
    }

    /// <summary>Folder with token, namespace and the authority's certificate.</summary>
    public string Credentials { get; }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Whether the pod's account may patch the status of pods.</summary>
    public bool IsAllowed { get; set; } = true;

    /// <summary>What was written, in order.</summary>
    public IReadOnlyCollection<string> Costs => _costs;

    /// <summary>How many requests were refused.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>The token that is valid.</summary>
    private string Token { get; set; } = "";

    public static async Task<ClusterApi> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("agentplatform-pod-").FullName;
        using var authority = new PrivateAuthority();
        var server = authority.Issue("kube-apiserver", names => names.AddIpAddress(IPAddress.Loopback));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(server)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var api = new ClusterApi(builder.Build(), folder);
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder, "namespace"), "models");
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder, "ca.crt"), authority.Pem);
        await api.ReplaceTokenAsync();
        await api._app.StartAsync();
        return api;
    }

    /// <summary>Makes a new token the only valid one.</summary>
    public Task ReplaceTokenAsync() =>
        File.WriteAllTextAsync(System.IO.Path.Combine(Credentials, "token"), Token = $"token-{Guid.NewGuid():N}");

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(Credentials, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var status = request.Headers.Authorization != $"Bearer {Token}" ? StatusCodes.Status401Unauthorized
            : request.Path != Path ? StatusCodes.Status404NotFound
            : request.Method != HttpMethods.Patch ? StatusCodes.Status405MethodNotAllowed
            : !IsAllowed ? StatusCodes.Status403Forbidden
            : request.ContentType?.Split(';')[0] != PatchType ? StatusCodes.Status415UnsupportedMediaType
            : StatusCodes.Status200OK;
        context.Response.StatusCode = status;
        if (status != StatusCodes.Status200OK)
        {
            Interlocked.Increment(ref _refused);
            await context.Response.WriteAsJsonAsync(
                new { kind = "Status", status = "Failure", message = $"pods \"{Pod}\" is forbidden", code = status });
            return;
        }

        // An annotation is a text, and the whole patch is the one annotation.
        var patch = (await JsonNode.ParseAsync(request.Body))!.AsObject();
        var annotation = Assert.Single(Assert.Single(Assert.Single(patch).Value!.AsObject()).Value!.AsObject());
        Assert.Equal("controller.kubernetes.io/pod-deletion-cost", annotation.Key);
        _costs.Enqueue(annotation.Value!.GetValue<string>());
        await context.Response.WriteAsJsonAsync(new { kind = "Pod", apiVersion = "v1", metadata = new { name = Pod } });
    }
}
