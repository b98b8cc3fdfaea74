namespace Aspire.Hosting;

/// <summary>The application cannot run; the message is one sentence that says what to do, shown without a stack trace.</summary>
internal sealed class DistributedApplicationException(string message) : Exception(message);
