namespace AgentPlatform.AppHost.Broker;

/// <summary>A RabbitMQ node as a process on this machine.</summary>
internal sealed class LocalBrokerResource(string name, NodeFolder folder, ParameterResource password)
    : ExecutableResource(name, "/bin/sh", folder.Path), IResourceWithConnectionString
{
    /// <summary>The node's only user.</summary>
    public const string UserName = "agentplatform";

    private EndpointReference? _endpoint;

    private EndpointReference Endpoint => _endpoint ??= new EndpointReference(this, "tcp");

    /// <inheritdoc />
    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"amqp://{UserName}:{password:uri}@{Endpoint.Property(EndpointProperty.HostAndPort)}");

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties()
    {
        yield return new("Host", ReferenceExpression.Create($"{Endpoint.Property(EndpointProperty.Host)}"));
        yield return new("Port", ReferenceExpression.Create($"{Endpoint.Property(EndpointProperty.Port)}"));
        yield return new("Username", ReferenceExpression.Create($"{UserName}"));
        yield return new("Password", ReferenceExpression.Create($"{password}"));
        yield return new("Uri", ConnectionStringExpression);
    }
}

internal static class LocalBrokerExtensions
{
    // Forwards the signal to stop to the server, and stops epmd after the server, since the orchestrator waits for both.
    private const string Script = """
        epmd -address 127.0.0.1 & epmd=$!
        "$0" & server=$!
        trap 'kill -TERM $server 2>/dev/null' TERM INT
        wait $server; status=$?
        while kill -0 $server 2>/dev/null; do wait $server; status=$?; done
        kill $epmd 2>/dev/null
        exit $status
        """;

    /// <summary>
    /// Adds a node with its own name, ports, folder, credentials and epmd, so that it does not conflict with another RabbitMQ on the
    /// machine. epmd runs in the same process tree: the one that Erlang starts by itself is a daemon and would outlive the run.
    /// </summary>
    public static IResourceBuilder<LocalBrokerResource> AddLocalBroker(
        this IDistributedApplicationBuilder builder, string name, string server, NodeFolder folder)
    {
        var password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var node = new LocalBrokerResource(name, folder, password);
        var (port, distribution, epmd) = FreePorts.TakeThree();
        return builder.AddResource(node)
            .WithArgs("-c", Script, server)
            // Not proxied: a proxy would be one more hop for every job and every token.
            .WithEndpoint(port: port, targetPort: port, scheme: "tcp", name: "tcp", env: "RABBITMQ_NODE_PORT", isProxied: false)
            .WithEnvironment(context =>
            {
                var variables = context.EnvironmentVariables;
                variables["HOME"] = folder.Path;
                variables["RABBITMQ_NODENAME"] = $"{name}@localhost";
                variables["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1";
                // The default is the node's port plus 20000, which can exceed 65535.
                variables["RABBITMQ_DIST_PORT"] = FreePorts.Text(distribution);
                variables["ERL_EPMD_PORT"] = FreePorts.Text(epmd);
                variables["ERL_EPMD_ADDRESS"] = "127.0.0.1";
                variables["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}";
                variables["RABBITMQ_MNESIA_BASE"] = Path.Combine(folder.Path, "mnesia");
                variables["RABBITMQ_LOG_BASE"] = Path.Combine(folder.Path, "log");
                variables["RABBITMQ_LOGS"] = "-";
                variables["RABBITMQ_PID_FILE"] = Path.Combine(folder.Path, "pid");
                variables["RABBITMQ_CONF_ENV_FILE"] = "/dev/null";
                variables["RABBITMQ_CONFIG_FILE"] = Path.Combine(folder.Path, "rabbitmq.conf");
                variables["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(folder.Path, "enabled_plugins");
            })
            // In a file that only this user can read: the dashboard shows the environment of a process.
            .OnBeforeResourceStarted(async (_, _, cancellationToken) => await folder.WriteSecretAsync(
                "rabbitmq.conf",
                $"default_user = {LocalBrokerResource.UserName}\ndefault_pass = {await password.GetValueAsync(cancellationToken)}\n"
                + LocalBrokerMemory.Configuration(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
                cancellationToken))
            .WithHealthCheck(builder.AddBrokerHealthCheck(node));
    }
}
