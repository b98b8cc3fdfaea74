using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace AgentPlatform.Worker.Engines.Agent.Tools;

/// <summary>A tool of a server, whose result is text for a model, and whose error is one.</summary>
internal sealed class McpTool(McpClientTool tool) : DelegatingAIFunction(tool)
{
    /// <inheritdoc/>
    /// <exception cref="McpException">The tool failed, and says why.</exception>
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var result = await tool.CallAsync(arguments, cancellationToken: cancellationToken);
        if (result.IsError == true)
        {
            throw new McpException(Text(result));
        }

        // Structured content is the result; the text beside it repeats it for those who do not know it.
        return result.StructuredContent is { } structured ? structured.GetRawText() : Text(result);
    }

    private static string Text(CallToolResult result) =>
        string.Join('\n', result.Content.Select(block => block is TextContentBlock text ? text.Text : $"[{block.Type}]"));
}
