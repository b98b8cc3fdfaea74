using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Client.Transports.Queue;

/// <summary>Reaches one version of a model through its queue on the broker.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class QueueTransport(
    string model, string version, JobPublisher jobs, ReplyReceiver replies, ControlPublisher control) : IInference
{
    private readonly string _queue = QueueNames.Job(model, version);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = replies.Admit(request, _queue, version);
        var (isPublished, isComplete) = (false, false);
        try
        {
            await PublishAsync(request, cancellationToken);
            isPublished = true;
            using var receiving = replies.StartReceiving();
            await foreach (var part in answer.ReadAsync(cancellationToken))
            {
                isComplete = part.IsLast;
                yield return part;
            }
        }
        finally
        {
            replies.Forget(request.RequestId);
            if (isPublished && !isComplete)
            {
                // The client left, the deadline passed or the answer failed: nobody waits for what the worker still makes.
                control.Cancel(request.RequestId);
            }
        }
    }

    private async Task PublishAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await jobs.PublishAsync(request, _queue, version, replies.Address, issue: 0, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It may be on its way; the cancel follows it on the same channel.
            control.Cancel(request.RequestId);
            throw;
        }
    }
}
