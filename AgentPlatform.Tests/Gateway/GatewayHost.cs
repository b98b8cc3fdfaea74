using System.Net;
using AgentPlatform.Gateway.Models;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace AgentPlatform.Tests.Gateway;

/// <summary>The gateway as its Program puts it together, with a test's configuration.</summary>
internal sealed class GatewayHost(params (string Key, string Value)[] settings) : WebApplicationFactory<ModelRouter>
{
    public static async Task<(HttpStatusCode Status, string Body)> PostAsync(HttpClient client, string path, string json)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri(path, UriKind.Relative), content).WaitAsync(TimeSpan.FromMinutes(1));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach (var (key, value) in settings)
        {
            builder.UseSetting(key, value);
        }
    }
}
