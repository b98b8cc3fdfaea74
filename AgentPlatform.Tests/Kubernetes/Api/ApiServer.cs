using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>
/// The API of a cluster for <c>helm</c> and <c>kubectl</c>: discovery, and objects that are made, read, listed, watched, applied on the
/// server's side, patched, scaled and removed, each checked strictly against its schema. It is no cluster: there are no nodes and no pods;
/// no controller makes anything of anything (workloads are ready as soon as they are there, unless a test says otherwise; a StatefulSet
/// makes no claims, a ScaledObject scales nothing); nobody is authenticated; nothing is admitted, defaulted or removed along with its
/// owner but what is written here.
/// </summary>
internal sealed partial class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiServer(WebApplication app)
    {
        _app = app;
        app.Run(AnswerAsync);
    }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Whether it says that there is a metrics-server.</summary>
    public bool HasMetrics { get; set; }

    public ApiObjects Objects { get; } = new(new ObjectSchemas());

    public static async Task<ApiServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var server = new ApiServer(builder.Build());
        await server._app.StartAsync();
        server.Objects.CreateNamespace("default");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task SayAsync(HttpContext context, object answer, int code = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = code;
        await context.Response.WriteAsJsonAsync(answer);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var path = context.Request.Path.Value!;
            if (ApiDiscovery.Answer(path, HasMetrics) is { } answer)
            {
                await SayAsync(context, answer);
                return;
            }

            if (ObjectPath().Match(path) is not { Success: true } match
                || ApiKind.All.SingleOrDefault(
                    kind => kind.Root == match.Groups["root"].Value && kind.Plural == match.Groups["plural"].Value) is not { } kind)
            {
                throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"the server could not find {path}");
            }

            var space = match.Groups["space"] is { Success: true, Value: var named } ? named : null;
            await (match.Groups["name"] is { Success: true, Value: var name }
                ? OneAsync(context, kind, space ?? "", name, match.Groups["scale"].Success)
                : AllAsync(context, kind, space));
        }
        catch (ApiException e)
        {
            await SayAsync(
                context,
                new { kind = "Status", apiVersion = "v1", status = "Failure", message = e.Message, reason = e.Reason, code = e.Code },
                e.Code);
        }
    }

    private async Task AllAsync(HttpContext context, ApiKind kind, string? space)
    {
        var request = context.Request;
        if (request.Method == HttpMethods.Post)
        {
            await SayAsync(
                context, Objects.Create(kind, space ?? "", await BodyAsync(request), Owner(request), IsDryRun(request)),
                StatusCodes.Status201Created);
        }
        else if (request.Query["watch"] is [var watch] && watch is "true" or "1")
        {
            await WatchAsync(context, kind, space);
        }
        else
        {
            var version = Objects.Version;
            var items = Objects.List(kind, space).Where(item => IsSelected(request, item)).ToList();
            await SayAsync(
                context,
                new { kind = $"{kind.Kind}List", apiVersion = kind.ApiVersion, metadata = new { resourceVersion = Text(version) }, items });
        }
    }

    private async Task OneAsync(HttpContext context, ApiKind kind, string space, string name, bool isScale)
    {
        var request = context.Request;
        var (owner, isDryRun) = (Owner(request), IsDryRun(request));
        if (request.Method == HttpMethods.Delete)
        {
            var gone = Objects.Get(kind, space, name);
            if (!isDryRun)
            {
                Objects.Delete(kind, space, name);
            }

            await SayAsync(context, gone);
            return;
        }

        var body = request.Method == HttpMethods.Get ? [] : await BodyAsync(request);
        var item = (request.Method, request.ContentType?.Split(';')[0]) switch
        {
            ("GET", _) => Objects.Get(kind, space, name),
            ("PUT", _) when isScale => Objects.Replace(
                kind, space, name, Merged(Objects.Get(kind, space, name), Replicas(body)), owner, isDryRun),
            ("PUT", _) => Objects.Replace(kind, space, name, body, owner, isDryRun),
            ("PATCH", "application/merge-patch+json") =>
                Objects.Replace(
                    kind, space, name, Merged(Objects.Get(kind, space, name), isScale ? Replicas(body) : body), owner, isDryRun),
            ("PATCH", "application/apply-patch+yaml") =>
                Objects.Apply(kind, space, name, body, owner, request.Query["force"] == "true", isDryRun),
            _ =>
                throw new ApiException(
                    StatusCodes.Status415UnsupportedMediaType, "UnsupportedMediaType", $"{request.Method} of {request.ContentType}"),
        };
        await SayAsync(context, isScale ? Scale(item) : item);
    }

    private async Task WatchAsync(HttpContext context, ApiKind kind, string? space)
    {
        var request = context.Request;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _app.Lifetime.ApplicationStopping);
        context.Response.ContentType = "application/json";
        var after = long.TryParse(request.Query["resourceVersion"], CultureInfo.InvariantCulture, out var version)
            ? version
            : Objects.Version;
        if (request.Query["sendInitialEvents"] == "true")
        {
            after = Objects.Version;
            foreach (var item in Objects.List(kind, space).Where(item => IsSelected(request, item)))
            {
                await SendAsync("ADDED", item);
            }

            await SendAsync("BOOKMARK", new JsonObject
            {
                ["apiVersion"] = kind.ApiVersion,
                ["kind"] = kind.Kind,
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = Text(after),
                    ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" },
                },
            });
        }

        await context.Response.Body.FlushAsync(stop.Token);
        try
        {
            while (true)
            {
                foreach (var change in await Objects.ChangesAsync(after, stop.Token))
                {
                    after = change.Version;
                    if (change.Kind == kind && (space is null || (string?)change.Item["metadata"]!["namespace"] == space)
                        && IsSelected(request, change.Item))
                    {
                        await SendAsync(change.Type, change.Item);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client has seen what it waited for.
        }

        async Task SendAsync(string type, JsonObject item)
        {
            await context.Response.WriteAsync(
                $"{new JsonObject { ["type"] = type, ["object"] = item.DeepClone() }.ToJsonString()}\n", stop.Token);
            await context.Response.Body.FlushAsync(stop.Token);
        }
    }

    private static async Task<JsonObject> BodyAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        try
        {
            return request.ContentType == SecretMessage.ContentType
                ? SecretMessage.Read(body.ToArray())
                : JsonNode.Parse(body.ToArray())!.AsObject();
        }
        catch (JsonException e)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "BadRequest", e.Message);
        }
    }

    // "name=test,owner=helm,status!=superseded" and "metadata.name=gateway-deployment"
    private static bool IsSelected(HttpRequest request, JsonObject item) =>
        Terms(request.Query["labelSelector"]).All(term => ((string?)item["metadata"]!["labels"]?[term.Key] == term.Value) != term.IsNegated)
        && Terms(request.Query["fieldSelector"]).All(term => (Field(item, term.Key) == term.Value) != term.IsNegated);

    private static string? Field(JsonObject item, string path) =>
        path.Split('.').Aggregate((JsonNode?)item, (node, field) => node?[field])?.ToString();

    private static IEnumerable<(string Key, string Value, bool IsNegated)> Terms(string? selector) =>
        (selector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(term => Term().Match(term)).Select(term =>
            term.Success
                ? (term.Groups["key"].Value, term.Groups["value"].Value, term.Groups["not"].Success)
                : throw new ApiException(StatusCodes.Status400BadRequest, "BadRequest", selector!));

    private static JsonObject Merged(JsonObject item, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is JsonObject fields && item[name] is JsonObject known)
            {
                Merged(known, fields);
            }
            else
            {
                item[name] = value?.DeepClone();
            }
        }

        return item;
    }

    private static JsonObject Replicas(JsonObject scale) =>
        new() { ["spec"] = new JsonObject { ["replicas"] = scale["spec"]!["replicas"]!.DeepClone() } };

    private static JsonObject Scale(JsonObject item) => new()
    {
        ["kind"] = "Scale",
        ["apiVersion"] = "autoscaling/v1",
        ["metadata"] = item["metadata"]!.DeepClone(),
        ["spec"] = Replicas(item)["spec"]!.DeepClone(),
        ["status"] = new JsonObject { ["replicas"] = item["spec"]!["replicas"]!.DeepClone() },
    };

    private static bool IsDryRun(HttpRequest request) => request.Query["dryRun"] == "All";

    // Clients that name none are told apart by their program: "Helm/4.2.3".
    private static string Owner(HttpRequest request) =>
        (string?)request.Query["fieldManager"] ?? request.Headers.UserAgent.ToString().Split('/')[0];

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    // "/apis/apps/v1/namespaces/models/deployments/gateway-deployment/scale"
    [GeneratedRegex("^(?<root>/(api|apis/[^/]+)/[^/]+)/(namespaces/(?<space>[^/]+)/)?(?<plural>[^/]+)(/(?<name>[^/]+))?(?<scale>/scale)?$")]
    private static partial Regex ObjectPath();

    [GeneratedRegex("^(?<key>[^!=]+)(?<not>!)?==?(?<value>[^=]*)$")]
    private static partial Regex Term();
}
