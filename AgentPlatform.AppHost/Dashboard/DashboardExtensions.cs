using Microsoft.Extensions.Configuration;

namespace AgentPlatform.AppHost.Dashboard;

/// <summary>How the platform looks in Aspire's dashboard; nothing of it is published.</summary>
internal static class DashboardExtensions
{
    // The switch of OpenTelemetry's conventions. Microsoft.Extensions.AI, by which agents call models, knows the value `true` only.
    private const string MessageContent = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

    /// <summary>Gives the gateway links to what it serves, and an icon.</summary>
    /// <remarks>It speaks plain HTTP, as workers do: otherwise Aspire looks for a development certificate, and complains that there is none.</remarks>
    public static IResourceBuilder<ProjectResource> ShowAsGateway(this IResourceBuilder<ProjectResource> gateway) => gateway
        .WithoutHttpsCertificate()
        .WithIconName("Globe")
        .WithUrls(ShowOneAddress)
        .WithUrlForEndpoint("http", (EndpointReference _) => new ResourceUrlAnnotation { Url = "/scalar", DisplayText = "Reference" })
        .WithUrlForEndpoint("http", (EndpointReference _) => new ResourceUrlAnnotation { Url = "/health", DisplayText = "Health" });

    // The gateway listens on all interfaces; the machine's own name is for who looks for it.
    private static void ShowOneAddress(ResourceUrlsCallbackContext context)
    {
        foreach (var url in context.Urls.Where(url => url.DisplayText is null or ""))
        {
            (url.DisplayText, url.DisplayLocation) = new Uri(url.Url).IsLoopback
                ? ("API", UrlDisplayLocation.SummaryAndDetails) : ("API for other machines", UrlDisplayLocation.DetailsOnly);
        }
    }

    /// <summary>Gives a pool an icon. Its workers' own addresses are for who looks for them.</summary>
    public static IResourceBuilder<ProjectResource> ShowAsPool(this IResourceBuilder<ProjectResource> pool) => pool
        .WithoutHttpsCertificate()
        .WithIconName("BrainCircuit")
        .WithUrlForEndpoint("http", url => (url.DisplayText, url.DisplayLocation) = ("Worker", UrlDisplayLocation.DetailsOnly));

    /// <summary>Gives the broker an icon.</summary>
    public static IResourceBuilder<T> ShowAsBroker<T>(this IResourceBuilder<T> broker) where T : IResource =>
        broker.WithIconName("MailMultiple");

    /// <summary>
    /// Has spans carry prompts and answers, for the dashboard's view of them, if a local run asks for it with
    /// <c>Telemetry:MessageContent=true</c>, and only then: Aspire asks every project for them in development. To be called when all projects
    /// are there.
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
