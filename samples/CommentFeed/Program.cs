// Tools for an agent over the Model Context Protocol, on standard input and output: a feed of comments, one a line of a file.
//   Agent__McpServers__0__Name=feed Agent__McpServers__0__Command=dotnet Agent__McpServers__0__Args__0=.../CommentFeed.dll
using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

var file = args is [var path, ..] ? path : Path.Combine(AppContext.BaseDirectory, "comments.txt");
await using var transport = new StdioServerTransport("comment-feed");
await using var server = McpServer.Create(transport, new McpServerOptions
{
    ServerInfo = new Implementation { Name = "comment-feed", Version = "1.0" },
    ToolCollection = [McpServerTool.Create(ListComments, new McpServerToolCreateOptions { Name = "list_comments" })],
});
await server.RunAsync();
return 0;

[Description("Gives the newest comments of the feed, newest first.")]
string[] ListComments(
    [Description("How many at most.")] int count = 20,
    [Description("How many of the newest to skip.")] int skip = 0) =>
    [.. File.ReadLines(file).Where(line => line.Length > 0).Reverse().Skip(skip).Take(Math.Clamp(count, 1, 100))];
