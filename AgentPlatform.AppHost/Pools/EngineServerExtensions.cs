using System.Globalization;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Pools;

internal static class EngineServerExtensions
{
    /// <summary>
    /// Adds a server beside the pool, and gives its workers the address: to the pool's pods if a chart is being published, otherwise as a
    /// container of its own.
    /// </summary>
    /// <exception cref="StartupException">
    /// A local run cannot start containers, or the server cannot run with the pool's options.
    /// </exception>
    public static IResourceBuilder<ProjectResource> WithServer(
        this IResourceBuilder<ProjectResource> pool, ModelPools pools, EngineServer engine)
    {
        var name = pool.Resource.Name;
        var builder = pools.ApplicationBuilder;
        if (builder.ExecutionContext.IsRunMode && !pools.HasContainers())
        {
            throw new StartupException(
                $"The pool '{name}' needs {engine.Product}: start Docker (25.0 or newer) or Podman, "
                + $"or set Pools:{name}:Server to the address of a running {engine.Product}, "
                + $"such as http://localhost:{Text(engine.Port)}{engine.Path}.");
        }

        if (pools.TryAddToPods(name, engine))
        {
            return pool.WithEnvironment(engine.Variable, $"http://localhost:{Text(engine.Port)}{engine.Path}");
        }

        var server = builder.AddContainer($"{name}-server", engine.Image, engine.Tag)
            .WithHttpEndpoint(targetPort: engine.Port)
            .WithHttpHealthCheck(engine.HealthPath);
        Configure(server, engine, pools.OptionsOf(name));
        var endpoint = server.GetEndpoint("http");
        return pool.WithEnvironment(engine.Variable, ReferenceExpression.Create($"{endpoint}{engine.Path}")).WaitFor(server);
    }

    private static void Configure(IResourceBuilder<ContainerResource> server, EngineServer engine, PoolOptions options)
    {
        server.WithLifetime(options.Lifetime);
        if (engine.Entrypoint is { } entrypoint)
        {
            server.WithEntrypoint(entrypoint);
        }

        server.WithArgs([.. engine.Args, .. engine.AllInterfacesArgs]);
        if (engine.ModelFolder is { } folder)
        {
            server.WithBindMount($"../{folder}", "/models", isReadOnly: true);
        }

        if (engine.Cache is { } cache)
        {
            server.WithVolume(cache.Volume, cache.Target);
        }

        if (options.Gpus > 0)
        {
            server.WithContainerRuntimeArgs("--gpus", Text(options.Gpus));
        }

        if (engine.SharesMemory)
        {
            server.WithContainerRuntimeArgs("--ipc=host");
        }

        foreach (var (variable, value) in engine.Variables)
        {
            server.WithEnvironment(variable, value);
        }

        foreach (var (variable, secret) in engine.Secrets)
        {
            server.WithEnvironment(variable, secret);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
