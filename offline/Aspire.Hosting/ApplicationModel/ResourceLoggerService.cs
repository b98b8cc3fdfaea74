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
public readonly record struct LogLine
{
    internal LogLine(int lineNumber, string content, bool isErrorMessage)
    {
        LineNumber = lineNumber;
        Content = content;
        IsErrorMessage = isErrorMessage;
    }

    /// <summary>Its text, after the time at which it was written.</summary>
    public string Content { get; }

    /// <summary>Whether it came from standard error.</summary>
    public bool IsErrorMessage { get; }

    internal int LineNumber { get; }
}
