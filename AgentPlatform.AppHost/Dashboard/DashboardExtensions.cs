using Microsoft.Extensions.Configuration;

namespace AgentPlatform.AppHost.Dashboard;

/// <summary>How resources are shown in Aspire's dashboard. Nothing of it is published.</summary>
internal static class DashboardExtensions
{
    // The variable of OpenTelemetry's conventions. Microsoft.Extensions.AI, which agents use, supports only the value `true`.
    private const string MessageContent = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

    /// <summary>Gives the gateway an icon and links to its pages.</summary>
    /// <remarks>Gateway and workers use plain HTTP; otherwise Aspire would warn about a missing development certificate.</remarks>
    public static IResourceBuilder<ProjectResource> ShowAsGateway(this IResourceBuilder<ProjectResource> gateway) => gateway
        .WithoutHttpsCertificate()
        .WithIconName("Globe")
        .WithUrls(ShowOneAddress)
        .WithUrlForEndpoint("http", (EndpointReference _) => new ResourceUrlAnnotation { Url = "/scalar", DisplayText = "Reference" })
        .WithUrlForEndpoint("http", (EndpointReference _) => new ResourceUrlAnnotation { Url = "/health", DisplayText = "Health" });

    // The gateway listens on all interfaces; its address by the machine's name is only among the details.
    private static void ShowOneAddress(ResourceUrlsCallbackContext context)
    {
        foreach (var url in context.Urls.Where(url => url.DisplayText is null or ""))
        {
            (url.DisplayText, url.DisplayLocation) = new Uri(url.Url).IsLoopback
                ? ("API", UrlDisplayLocation.SummaryAndDetails) : ("API for other machines", UrlDisplayLocation.DetailsOnly);
        }
    }

    /// <summary>Gives a pool an icon, and shows its workers' addresses only among the details.</summary>
    public static IResourceBuilder<ProjectResource> ShowAsPool(this IResourceBuilder<ProjectResource> pool) => pool
        .WithoutHttpsCertificate()
        .WithIconName("BrainCircuit")
        .WithUrlForEndpoint("http", url => (url.DisplayText, url.DisplayLocation) = ("Worker", UrlDisplayLocation.DetailsOnly));

    /// <summary>Gives the broker an icon.</summary>
    public static IResourceBuilder<T> ShowAsBroker<T>(this IResourceBuilder<T> broker) where T : IResource =>
        broker.WithIconName("MailMultiple");

    /// <summary>
    /// Records prompts and answers in spans, for the dashboard's view of conversations, only if a local run sets
    /// <c>Telemetry:MessageContent=true</c>. Aspire's default in development is to record them. Call it when all projects are added.
    /// </summary>
    public static void CaptureMessageContent(this IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsRunMode)
        {
            return;
        }

        var isAsked = builder.Configuration.GetValue<bool>("Telemetry:MessageContent");
        foreach (var project in builder.Resources.OfType<ProjectResource>())
        {
            builder.CreateResourceBuilder(project).WithEnvironment(context =>
            {
                context.EnvironmentVariables.Remove(MessageContent);
                if (isAsked)
                {
                    context.EnvironmentVariables[MessageContent] = "true";
                }
            });
        }
    }
}
