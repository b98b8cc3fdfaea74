using Aspire.Hosting.Dcp;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What the processes of resources write to their consoles. Thread-safe.</summary>
public sealed class ResourceLoggerService
{
    internal ResourceLoggerService()
    {
    }

    /// <summary>Set once the application runs.</summary>
    internal ProcessLogs? Logs { get; set; }

    /// <summary>The lines until now, those of replicas one after the other; nothing before the application runs.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(IResource resource)
    {
        if (Logs is not { } logs)
        {
            yield break;
        }

        var number = 0;
        await foreach (var line in logs.ReadAllAsync(resource, CancellationToken.None))
        {
            yield return [new LogLine(++number, line.Text, line.IsError)];
        }
    }
}

/// <summary>A line of a console.</summary>
/// <param name="LineNumber">Its number, from 1.</param>
/// <param name="Content">Its text, after the time at which it was written.</param>
/// <param name="IsErrorMessage">Whether it came from standard error.</param>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);
