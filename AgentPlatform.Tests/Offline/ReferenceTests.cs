using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AgentPlatform.Tests.Offline;

public sealed class ReferenceTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder(["--operation", "publish"]);

    [Fact]
    public async Task WithReference_ToProject_GivesServiceDiscoveryVariables()
    {
        var server = _builder.AddResource(new ProjectResource("chat-gateway")).WithHttpEndpoint();
        var client = _builder.AddExecutable("client", "true", ".").WithReference(server);

        var variables = await VariablesAsync(client.Resource);

        Assert.Equal("{chat-gateway.bindings.http.url}", variables["services__chat-gateway__http__0"]);
        Assert.Equal("{chat-gateway.bindings.http.url}", variables["CHAT_GATEWAY_HTTP"]);
    }

    [Fact]
    public async Task WithEnvironment_OfParameter_ReadsConfigurationWhenTheResourceStarts()
    {
        var key = _builder.AddParameter("key", secret: true);
        var client = _builder.AddExecutable("client", "true", ".").WithEnvironment("URL", $"amqp://user:{key:uri}@host");
        _builder.Configuration["Parameters:key"] = "a/b";

        var context = await ContextAsync(client.Resource);

        Assert.Equal("amqp://user:a%2Fb@host", await ((IValueProvider)context.EnvironmentVariables["URL"]).GetValueAsync());
        Assert.Equal("amqp://user:{key-uri-encoded.value}@host", ((IManifestExpressionProvider)context.EnvironmentVariables["URL"]).ValueExpression);
    }

    [Fact]
    public async Task Parameter_WithoutValue_NamesTheConfigurationKey()
    {
        var key = _builder.AddParameter("missing");

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () => await key.Resource.GetValueAsync());

        Assert.Contains("Parameters:missing", refusal.Message, StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, string>> VariablesAsync(IResource resource) =>
        (await ContextAsync(resource)).EnvironmentVariables.ToDictionary(variable => variable.Key, variable => ((IManifestExpressionProvider)variable.Value).ValueExpression);

    private async Task<EnvironmentCallbackContext> ContextAsync(IResource resource)
    {
        var context = new EnvironmentCallbackContext(_builder.ExecutionContext, resource);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return context;
    }
}
