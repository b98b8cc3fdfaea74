namespace Aspire.RabbitMQ.Client;

/// <summary>How a service connects to RabbitMQ; bound from the section <c>Aspire:RabbitMQ:Client</c>.</summary>
public sealed class RabbitMQClientSettings
{
    /// <summary>An <c>amqp://</c> URI. <c>ConnectionStrings:NAME</c> of the configuration wins over the section's own value.</summary>
    internal string? ConnectionString { get; set; }

    /// <summary>How often a refused connection is tried again, waiting 2, 4, 8... seconds.</summary>
    internal int MaxConnectRetryCount { get; set; } = 5;

    /// <summary>True leaves out the health check <c>RabbitMQ.Client</c>.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>True leaves out the client library's own spans.</summary>
    public bool DisableTracing { get; set; }
}
