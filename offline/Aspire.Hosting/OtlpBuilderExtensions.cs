using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;

namespace Aspire.Hosting;

internal static class OtlpBuilderExtensions
{
    /// <summary>Tells a process where the dashboard takes OpenTelemetry, under which name, and to send often: it is watched while it runs.</summary>
    public static IResourceBuilder<ProjectResource> WithTelemetry(this IResourceBuilder<ProjectResource> project)
    {
        var builder = project.ApplicationBuilder;
        return project.WithEnvironment(context =>
        {
            var variables = context.EnvironmentVariables;
            variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
            if (context.ExecutionContext.IsPublishMode)
            {
                return;
            }

            if (builder.Environment.EnvironmentName == "Development")
            {
                variables["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"] = "true";
                variables["OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION"] = "true";
            }

            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = DashboardSettings.OtlpEndpoint(builder.Configuration);
            variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";

            // Filled in by DCP, different for each replica.
            variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id={{- index .Annotations \"otel-service-instance-id\" -}}";
            variables["OTEL_SERVICE_NAME"] = "{{- index .Annotations \"otel-service-name\" -}}";
            variables["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={DashboardSettings.OtlpApiKey(builder.Configuration)}";
            if (builder.Environment.EnvironmentName == "Development")
            {
                variables["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
                variables["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
                variables["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
                variables["OTEL_TRACES_SAMPLER"] = "always_on";
                variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
                variables["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true";
            }
        });
    }
}
