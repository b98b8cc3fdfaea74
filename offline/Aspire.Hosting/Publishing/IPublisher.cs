using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Publishing;

/// <summary>Makes artefacts of the model instead of running it; what to make and where stands in the configuration.</summary>
internal interface IPublisher
{
    Task PublishAsync(DistributedApplicationModel model, CancellationToken cancellationToken);
}
