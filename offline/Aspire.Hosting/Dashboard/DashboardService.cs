using Aspire.Hosting.Dashboard.Proto;
using Grpc.Core;

namespace Aspire.Hosting.Dashboard;

/// <summary>The gRPC service that the dashboard asks.</summary>
internal sealed class DashboardService(DashboardData data) : Proto.DashboardService.DashboardServiceBase
{
    public override Task<ApplicationInformationResponse> GetApplicationInformation(ApplicationInformationRequest request, ServerCallContext context) =>
        Task.FromResult(new ApplicationInformationResponse { ApplicationName = data.ApplicationName });

    public override Task WatchResources(WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        UntilCancelledAsync(async cancellationToken =>
        {
            var initial = new InitialResourceData();
            initial.Resources.Add(data.Notifications.Current.Select(ResourceMessage.Of));
            await responseStream.WriteAsync(new WatchResourcesUpdate { InitialData = initial }, cancellationToken);

            // Begins with everything again: a change between the two is told twice rather than never.
            await foreach (var change in data.Notifications.WatchAsync(cancellationToken))
            {
                var update = new WatchResourcesUpdate { Changes = new WatchResourcesChanges() };
                update.Changes.Value.Add(new WatchResourcesChange { Upsert = ResourceMessage.Of(change) });
                await responseStream.WriteAsync(update, cancellationToken);
            }
        }, context);

    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, ServerCallContext context) =>
        UntilCancelledAsync(async cancellationToken =>
        {
            var number = 0;
            await foreach (var line in data.Logs.ReadAsync(request.ResourceName, follow: !request.SuppressFollow, cancellationToken))
            {
                var update = new WatchResourceConsoleLogsUpdate();
                update.LogLines.Add(new ConsoleLogLine { Text = line.Text, IsStdErr = line.IsError, LineNumber = ++number });
                await responseStream.WriteAsync(update, cancellationToken);
            }
        }, context);

    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context)
    {
        try
        {
            await data.Runner.ExecuteAsync(request.ResourceName, request.CommandName, context.CancellationToken);
            return new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Succeeded };
        }
        catch (DistributedApplicationException e)
        {
            return new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Failed, ErrorMessage = e.Message };
        }
    }

    /// <summary>
    /// Stays open and asks nothing. Without it the dashboard takes the refusal for a lost connection, and if that comes before the first
    /// resources it waits for them for ever.
    /// </summary>
    public override Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream, IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream, ServerCallContext context) =>
        UntilCancelledAsync(async cancellationToken =>
        {
            while (await requestStream.MoveNext(cancellationToken))
            {
            }
        }, context);

    /// <summary>A stream ends when the dashboard leaves or this process stops; neither is an error.</summary>
    private static async Task UntilCancelledAsync(Func<CancellationToken, Task> work, ServerCallContext context)
    {
        try
        {
            await work(context.CancellationToken);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
        }
    }
}
