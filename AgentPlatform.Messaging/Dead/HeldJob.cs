using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.Dead;

/// <summary>A dead job while a reader holds it.</summary>
/// <param name="Job">The job.</param>
/// <param name="Message">Its message, to be settled.</param>
public sealed record HeldJob(DeadJob Job, HeldMessage Message)
{
    /// <summary>All jobs that a reader finds; each is held from then on.</summary>
    public static async IAsyncEnumerable<HeldJob> ReadAsync(
        IDeadReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        await foreach (var held in reader.ReadAsync(cancellationToken))
        {
            yield return new HeldJob(DeadJobParser.Parse(held.Message), held);
        }
    }
}
