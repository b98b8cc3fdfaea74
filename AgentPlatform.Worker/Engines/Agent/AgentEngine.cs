using System.Runtime.CompilerServices;
using AgentPlatform.Client;
using AgentPlatform.Client.Chat;
using AgentPlatform.Client.Models;
using AgentPlatform.Client.Transports;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Agent.Tools;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Telemetry;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using OpenTelemetry.Trace;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>
/// An agent: a model that is reached as the configuration says, with tools from Semantic Kernel's plugins and from servers of the Model
/// Context Protocol. It calls them until the model answers or a limit is reached.
/// </summary>
internal sealed class AgentEngine(
    IOptions<AgentOptions> options, IChatCompletionService model, PreparationPool preparation, IHostEnvironment environment,
    IServiceProvider services, TimeProvider time, ILoggerFactory loggers)
    : IEngine, IAsyncDisposable
{
    private const string ModelSection = $"{AgentOptions.Section}:Model";

    private readonly AgentOptions _options = options.Value;
    private readonly McpTools _mcp = new(services.GetRequiredService<IHttpClientFactory>(), time, loggers);
    private Kernel? _kernel;
    private ToolRunner? _tools;
    private string? _instructions;

    /// <inheritdoc/>
    public EngineTraits Traits { get; } = new([Operation.Chat], Slots: 32);

    /// <summary>Registers the engine, its options and its model's transport.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<AgentOptions, AgentOptionsValidator>(AgentOptions.Section);
        var model = ClientExtensions.ReadChecked(builder.Configuration.GetSection(ModelSection), builder.Configuration);
        var own = $"{Engines.ModelOptions.Section}:{nameof(Engines.ModelOptions.Name)}";
        if (model.Transport == Transport.Queue && model.Name == builder.Configuration[own])
        {
            throw new OptionsValidationException(
                AgentOptions.Section, typeof(AgentOptions), [$"{ModelSection}:Name must not be {own}: the agent would ask itself."]);
        }

        builder.AddTransports([model]);
        services.AddSingleton(provider => TransportFactory.Create(provider, model)
            .AsChatClient(
                model.Name, provider.GetRequiredService<IOptions<AgentOptions>>().Value.MaxTime,
                provider.GetRequiredService<TimeProvider>())
            .AsBuilder()
            .UseOpenTelemetry(sourceName: WorkerTelemetry.Name)
            .Build(provider)
            .AsChatCompletionService(provider));
        services.AddSingleton<IEngine, AgentEngine>();

        // Semantic Kernel's spans of tools, and those of calls to their servers.
        services.ConfigureOpenTelemetryTracerProvider(static tracing =>
            tracing.AddSource("Microsoft.SemanticKernel*", "Experimental.ModelContextProtocol"));
    }

    /// <inheritdoc/>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        _instructions = await ReadInstructionsAsync(cancellationToken);
        var builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton(model);
        builder.Services.AddSingleton(loggers);
        var kernel = builder.Build();
        foreach (var plugin in _options.Plugins)
        {
            kernel.Plugins.Add(AgentPlugins.Create(plugin, services));
        }

        foreach (var server in _options.McpServers)
        {
            kernel.Plugins.Add(await _mcp.ConnectAsync(server, cancellationToken));
        }

        (_kernel, _tools) = (
            kernel, new ToolRunner(kernel, _options.ToolTimeout, _options.MaxToolResult, time, loggers.CreateLogger<ToolRunner>()));
    }

    /// <inheritdoc/>
    public Task WarmUpAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_kernel is null || _tools is null)
        {
            throw new InvalidOperationException("The agent is not loaded.");
        }

        var conversation = await preparation.RunAsync(
            request.Body.Length, _ => AgentConversation.Read(request.Body, _instructions), cancellationToken);
        using var run = new AgentRun(_kernel, _tools, _options, conversation);
        using var limit = new CancellationTokenSource(_options.MaxTime, time);
        using var work = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var hasRole = false;
        try
        {
            await foreach (var part in run.RunAsync(work.Token, limit.Token))
            {
                if (!request.Stream)
                {
                    continue;
                }

                if (!hasRole)
                {
                    hasRole = true;
                    using var first = new ChatParts();
                    yield return first.Role(0);
                }

                yield return part;
            }

            yield return request.Stream ? run.Answer.End() : run.Answer.Result(run.FinishReason, run.Limit);
        }
        finally
        {
            // Tools may still run although their results are not needed any more.
            await work.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _mcp.DisposeAsync();

    private async Task<string?> ReadInstructionsAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(_options.InstructionsFile))
        {
            return _options.Instructions;
        }

        try
        {
            var file = await File.ReadAllTextAsync(
                Path.GetFullPath(_options.InstructionsFile, environment.ContentRootPath), cancellationToken);
            return string.IsNullOrEmpty(_options.Instructions) ? file : $"{_options.Instructions}\n\n{file}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineLoadException($"Agent:InstructionsFile cannot be read: {e.Message}", e);
        }
    }
}
