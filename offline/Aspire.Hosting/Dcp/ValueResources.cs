using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>Shows resources that are values, not processes: parameters and connection strings.</summary>
internal static class ValueResources
{
    public static void Publish(DistributedApplicationModel model, ResourceNotificationService notifications, TimeProvider time)
    {
        foreach (var resource in model.Resources)
        {
            var type = resource switch { ParameterResource => "Parameter", ConnectionStringParameterResource => "ConnectionString", _ => null };
            if (type is not null)
            {
                notifications.Publish(resource, resource.Name, _ => new CustomResourceSnapshot
                {
                    ResourceType = type,
                    State = new ResourceStateSnapshot(KnownResourceStates.Running),
                    CreatedAt = time.GetUtcNow(),
                });
            }
        }
    }
}
