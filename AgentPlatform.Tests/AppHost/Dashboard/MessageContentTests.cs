using AgentPlatform.AppHost.Dashboard;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AgentPlatform.Tests.AppHost.Dashboard;

/// <summary>Only the telemetry of a local run that asks for them contains prompts and answers.</summary>
public sealed class MessageContentTests
{
    private const string Switch = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

    [Theory]
    [InlineData("true", "--Telemetry:MessageContent=true")]
    [InlineData(null)]
    [InlineData(null, "--environment=Development", "--ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=http://localhost:4317")]
    [InlineData(null, "--Telemetry:MessageContent=false")]
    [InlineData(null, "--Telemetry:MessageContent=true", "--publisher", "manifest")]
    public async Task CaptureMessageContent_SetsTheSwitch_WhereALocalRunAsks(string? expected, params string[] arguments)
    {
        var builder = DistributedApplication.CreateBuilder(arguments);
        var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway", launchProfileName: null);

        builder.CaptureMessageContent();

        var variables = new Dictionary<string, object>();
        foreach (var callback in gateway.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await callback.Callback(new EnvironmentCallbackContext(builder.ExecutionContext, gateway.Resource, variables));
        }

        Assert.Equal(expected, variables.GetValueOrDefault(Switch)?.ToString());
    }
}
