using Aspire.Hosting;

namespace AgentPlatform.Tests.Offline.Publishing;

/// <summary>The manifest of the stand-ins has the form of Aspire 13.5's, byte for byte.</summary>
public sealed class ManifestWriterTests : IDisposable
{
    // What Aspire 13.5.2 writes for a broker, a gateway with a launch profile and a worker without one.
    private const string Expected = """
        {
          "resources": {
            "messaging": {
              "type": "container.v1",
              "connectionString": "amqp://guest:{messaging-password-uri-encoded.value}@{messaging.bindings.tcp.host}:{messaging.bindings.tcp.port}",
              "image": "docker.io/library/rabbitmq:4.3",
              "env": {
                "RABBITMQ_DEFAULT_USER": "guest",
                "RABBITMQ_DEFAULT_PASS": "{messaging-password.value}"
              },
              "bindings": {
                "tcp": {
                  "scheme": "tcp",
                  "protocol": "tcp",
                  "transport": "tcp",
                  "targetPort": 5672
                }
              }
            },
            "gateway": {
              "type": "project.v1",
              "path": "../../sample/Gateway/Gateway.csproj",
              "env": {
                "OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY": "in_memory",
                "ASPNETCORE_FORWARDEDHEADERS_ENABLED": "true",
                "HTTP_PORTS": "{gateway.bindings.http.targetPort}",
                "ConnectionStrings__messaging": "{messaging.connectionString}",
                "MESSAGING_HOST": "{messaging.bindings.tcp.host}",
                "MESSAGING_PORT": "{messaging.bindings.tcp.port}",
                "MESSAGING_USERNAME": "guest",
                "MESSAGING_PASSWORD": "{messaging-password.value}",
                "MESSAGING_URI": "amqp://guest:{messaging-password-uri-encoded.value}@{messaging.bindings.tcp.host}:{messaging.bindings.tcp.port}"
              },
              "bindings": {
                "http": {
                  "scheme": "http",
                  "protocol": "tcp",
                  "transport": "http",
                  "external": true
                },
                "https": {
                  "scheme": "https",
                  "protocol": "tcp",
                  "transport": "http",
                  "external": true
                }
              }
            },
            "worker": {
              "type": "project.v1",
              "path": "../../sample/Worker/Worker.csproj",
              "env": {
                "OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY": "in_memory",
                "ConnectionStrings__messaging": "{messaging.connectionString}",
                "MESSAGING_HOST": "{messaging.bindings.tcp.host}",
                "MESSAGING_PORT": "{messaging.bindings.tcp.port}",
                "MESSAGING_USERNAME": "guest",
                "MESSAGING_PASSWORD": "{messaging-password.value}",
                "MESSAGING_URI": "amqp://guest:{messaging-password-uri-encoded.value}@{messaging.bindings.tcp.host}:{messaging.bindings.tcp.port}"
              }
            },
            "messaging-password": {
              "type": "parameter.v0",
              "value": "{messaging-password.inputs.value}",
              "inputs": {
                "value": {
                  "type": "string",
                  "secret": true,
                  "default": {
                    "generate": {
                      "minLength": 22,
                      "special": false
                    }
                  }
                }
              }
            },
            "messaging-password-uri-encoded": {
              "type": "annotated.string",
              "value": "{messaging-password.value}",
              "filter": "uri"
            }
          }
        }
        """;

    private static readonly string _folder = Directory.CreateTempSubdirectory("agentplatform-manifest-").FullName;

    [Fact]
    public async Task Manifest_OfASample_IsAspiresOwn()
    {
        var profiles = Directory.CreateDirectory(Path.Combine(_folder, "sample", "Gateway", "Properties")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(profiles, "launchSettings.json"),
            """{ "profiles": { "http": { "commandName": "Project", "applicationUrl": "http://localhost:5201" } } }""");
        var path = Path.Combine(_folder, "out", "manifest", "aspire-manifest.json");
        var builder = DistributedApplication.CreateBuilder(["--publisher", "manifest", "--output-path", path]);
        var messaging = builder.AddRabbitMQ("messaging");
        builder.AddProject<Gateway>("gateway").WithReference(messaging).WaitFor(messaging).WithExternalHttpEndpoints();
        builder.AddProject<Worker>("worker").WithReference(messaging).WaitFor(messaging).WithReplicas(2);

        await builder.Build().RunAsync();

        Assert.Equal(Expected, await File.ReadAllTextAsync(path));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed class Gateway : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(_folder, "sample", "Gateway", "Gateway.csproj");
    }

    private sealed class Worker : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(_folder, "sample", "Worker", "Worker.csproj");
    }
}
