using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Dashboard;

/// <summary>Addresses and keys of the dashboard, from the launch profile of the application host; keys are made for each run.</summary>
internal static class DashboardSettings
{
    public static string FrontendUrl(IConfiguration configuration) =>
        configuration["ASPNETCORE_URLS"]?.Split(';')[0] is { Length: > 0 } url ? url : "http://localhost:15135";

    public static string OtlpEndpoint(IConfiguration configuration) => configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? "http://localhost:19187";

    /// <summary>Address of the gRPC service of this process, from which the dashboard takes the resources.</summary>
    public static string ResourceServiceUrl(IConfiguration configuration) => configuration["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] ?? "http://localhost:20187";

    public static string BrowserToken(IConfiguration configuration) => configuration["AppHost:BrowserToken"]!;

    public static string OtlpApiKey(IConfiguration configuration) => configuration["AppHost:OtlpApiKey"]!;

    public static string ResourceServiceApiKey(IConfiguration configuration) => configuration["AppHost:ResourceService:ApiKey"]!;

    /// <summary>Makes the keys that the configuration does not set, under the configuration keys of Aspire.</summary>
    public static void MakeKeys(IConfiguration configuration)
    {
        configuration["AppHost:BrowserToken"] ??= configuration["ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"] ?? NewKey();
        configuration["AppHost:OtlpApiKey"] ??= NewKey();
        configuration["AppHost:ResourceService:ApiKey"] ??= NewKey();
    }

    private static string NewKey() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}
