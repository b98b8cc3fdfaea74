using AgentPlatform.Inference;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Client.Models;

/// <summary>How a model is reached.</summary>
public enum Transport
{
    /// <summary>Through RabbitMQ, by the pool of workers that serves the model's version.</summary>
    Queue,

    /// <summary>
    /// A container that serves this platform's agent contract: <c>/invoke</c>, <c>/batch</c>, <c>/analyze</c>, <c>/v1</c>.
    /// </summary>
    Http,

    /// <summary>Any OpenAI-compatible server.</summary>
    OpenAI,
}

/// <summary>One model and how it is reached, as configuration says it.</summary>
public sealed class ModelOptions
{
    /// <summary>By which requests ask for it.</summary>
    public string Name { get; set; } = "";

    /// <summary>The version that serves it; with <see cref="Name"/> it names the queue.</summary>
    public string Version { get; set; } = "1";

    /// <summary>The transport between gateway and model.</summary>
    public Transport Transport { get; set; } = Transport.Queue;

    /// <summary>The operations that the model serves; chat if the list is empty.</summary>
    public IList<Operation> Operations { get; } = [];

    /// <summary>What a user should know before relying on it.</summary>
    public string? Description { get; set; }

    /// <summary>
    /// Base address of the agent container, or of the OpenAI-compatible server with its version (<c>https://host/v1</c>).
    /// </summary>
    public Uri? Endpoint { get; set; }

    /// <summary>Key for <see cref="Endpoint"/>, if it wants one.</summary>
    public string? ApiKey { get; set; }

    /// <summary>What the other side calls the model; its <see cref="Name"/> if nothing is said.</summary>
    public string? UpstreamModel { get; set; }

    /// <summary>
    /// How long requests are collected for one <c>/batch</c> (transport <c>http</c>); zero sends each on its own. 50 ms is typical.
    /// </summary>
    public TimeSpan BatchWindow { get; set; }

    /// <summary>Most requests in one <c>/batch</c>.</summary>
    public int MaxBatchSize { get; set; } = 32;

    /// <summary><see cref="Operations"/>, or chat if nothing is said.</summary>
    public IReadOnlyList<Operation> AllOperations => Operations.Count > 0 ? [.. Operations.Distinct()] : [Operation.Chat];

    internal string NameUpstream => string.IsNullOrEmpty(UpstreamModel) ? Name : UpstreamModel;

    /// <summary>Reads one model. Strictly: the binder would leave out a wrong value, and a misspelt key, without a word.</summary>
    /// <exception cref="InvalidOperationException">A key or a value that means nothing.</exception>
    public static ModelOptions Read(IConfigurationSection section) =>
        section.Get<ModelOptions>(static binder => binder.ErrorOnUnknownConfiguration = true) ?? new ModelOptions();
}
