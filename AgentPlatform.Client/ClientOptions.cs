using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Client;

/// <summary>What holds for all models of a program; configuration section <c>AgentPlatform</c>.</summary>
public sealed class ClientOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "AgentPlatform";

    /// <summary>
    /// How long a request may take. Below RabbitMQ's consumer timeout of 30 minutes, after which a job is taken from its worker.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:29:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(5);
}

[OptionsValidator]
internal sealed partial class ClientOptionsValidator : IValidateOptions<ClientOptions>;
