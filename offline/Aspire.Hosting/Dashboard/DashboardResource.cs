using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>The real Aspire dashboard as a process of the application, hidden in itself. It listens on its ports without proxy.</summary>
internal sealed class DashboardResource : ExecutableResource
{
    private readonly IConfiguration _configuration;
    private readonly string _frontend;

    public DashboardResource(IConfiguration configuration) : base("aspire-dashboard", "aspire-managed", ".")
    {
        _configuration = configuration;
        _frontend = DashboardSettings.FrontendUrl(configuration);
        Annotations.Add(new CommandLineArgsCallbackAnnotation(context =>
        {
            context.Args.Add("dashboard");
            return Task.CompletedTask;
        }));
        Annotations.Add(new EnvironmentCallbackAnnotation(context =>
        {
            Configure(context.EnvironmentVariables);
            return Task.CompletedTask;
        }));
    }

    /// <summary>Ports that must be free before the start.</summary>
    public IEnumerable<(string Owner, string Host, int Port)> Ports =>
        from address in new[]
        {
            ("the dashboard (ASPNETCORE_URLS)", _frontend),
            ("the dashboard's telemetry (ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL)", DashboardSettings.OtlpEndpoint(_configuration)),
            ("the dashboard's resource service (ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL)", DashboardSettings.ResourceServiceUrl(_configuration)),
        }
        let url = Url(address.Item2)
        select (address.Item1, url.Host, url.Port);

    public void UseProgram(string path)
    {
        Command = path;
        WorkingDirectory = Path.GetDirectoryName(path)!;
    }

    /// <summary>Logs the address once the dashboard runs.</summary>
    public async Task AnnounceAsync(ResourceNotificationService notifications, ILogger logger, CancellationToken cancellationToken)
    {
        await notifications.WaitForResourceHealthyAsync(Name, cancellationToken);
        Log.DashboardListening(logger, _frontend);
        Log.DashboardLogin(logger, $"{_frontend}/login?t={DashboardSettings.BrowserToken(_configuration)}");
    }

    private void Configure(Dictionary<string, object> variables)
    {
        variables["ASPNETCORE_ENVIRONMENT"] = "Production";
        variables["ASPNETCORE_URLS"] = _frontend;
        variables["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        variables["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = DashboardSettings.OtlpEndpoint(_configuration);
        variables["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = DashboardSettings.ResourceServiceUrl(_configuration);
        variables["DASHBOARD__FRONTEND__AUTHMODE"] = "BrowserToken";
        variables["DASHBOARD__FRONTEND__BROWSERTOKEN"] = DashboardSettings.BrowserToken(_configuration);
        variables["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"] = "ApiKey";
        variables["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] = DashboardSettings.ResourceServiceApiKey(_configuration);
        variables["DASHBOARD__OTLP__AUTHMODE"] = "ApiKey";
        variables["DASHBOARD__OTLP__PRIMARYAPIKEY"] = DashboardSettings.OtlpApiKey(_configuration);
    }

    private static Uri Url(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? parsed : throw new DistributedApplicationException($"'{url}' is not a URL that the dashboard could listen on.");
}
