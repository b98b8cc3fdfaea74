using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Dashboard;

/// <summary>Addresses and keys of the dashboard, from the launch profile of the application host; keys are made for each run.</summary>
internal static class DashboardSettings
{
    public static string FrontendUrl(IConfiguration configuration) =>
        configuration["ASPNETCORE_URLS"]?.Split(';')[0] is { Length: > 0 } url ? url : "http://localhost:15135";

    public static string OtlpEndpoint(IConfiguration configuration) => configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? "http://localhost:19187";

    /// <summary>Address of the gRPC service of this process, from which the dashboard takes the resources; null lets one be chosen.</summary>
    public static string? ResourceServiceUrl(IConfiguration configuration) => configuration["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"];

    public static string BrowserToken(IConfiguration configuration) =>
        configuration["ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"] ?? Kept(configuration, "AppHost:BrowserToken");

    public static string OtlpApiKey(IConfiguration configuration) => Kept(configuration, "AppHost:OtlpApiKey");

    public static string ResourceServiceApiKey(IConfiguration configuration) => Kept(configuration, "AppHost:ResourceService:ApiKey");

    private static string Kept(IConfiguration configuration, string key) => configuration[key] ??= RandomNumberGenerator.GetHexString(32, lowercase: true);
}
