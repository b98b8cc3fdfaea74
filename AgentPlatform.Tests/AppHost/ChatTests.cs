using System.ClientModel;
using System.Text;
using OpenAI;
using OpenAI.Chat;

namespace AgentPlatform.Tests.AppHost;

/// <summary>Chats through the whole platform: gateway, queue, worker and back as a stream.</summary>
[Trait("Category", "AppHost")]
[Collection(ApplicationGroup.Name)]
public class ChatTests(ApplicationFixture platform)
{
    // Prints the text of a stream and how it ended.
    private const string NodeClient = """
        import OpenAI from 'openai';
        const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
        const messages = [{ role: 'user', content: 'How do I plug in vLLM?' }];
        const stream = await client.chat.completions.create({ model: 'tiny-chat', stream: true, messages });
        let text = '', finish = null, chunks = 0;
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta?.content ?? '';
          finish = chunk.choices[0]?.finish_reason ?? finish;
          chunks++;
        }
        console.log(JSON.stringify({ text, finish, chunks }));
        """;

    [Fact]
    public async Task Chat_StreamedByOpenAIsDotnetClient_ArrivesTokenByToken()
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri(platform.Gateway, "v1") };
        var client = new ChatClient("tiny-chat", new ApiKeyCredential("none"), options);
        var text = new StringBuilder();
        var updates = 0;
        ChatFinishReason? finish = null;

        await foreach (var update in client.CompleteChatStreamingAsync(new UserChatMessage("How do I plug in vLLM?")))
        {
            updates += update.ContentUpdate.Count > 0 ? 1 : 0;
            text.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            finish = update.FinishReason ?? finish;
        }

        Assert.Equal(ChatFinishReason.Stop, finish);
        Assert.True(updates > 10, $"{updates} pieces");
        Assert.Contains("pools.AddVllm", text.ToString(), StringComparison.Ordinal);
    }

    [ProgramFact("npm", "npm")]
    public async Task Chat_StreamedByOpenAIsNodeClient_ArrivesWhole()
    {
        var folder = Directory.CreateTempSubdirectory("agentplatform-node-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "package.json"), """{ "private": true, "type": "module" }""");
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "chat.js"), NodeClient);
            await RunAsync(folder.FullName, "npm", "install", "--no-audit", "--no-fund", "--silent", "openai");

            var output = await RunAsync(folder.FullName, "node", "chat.js", new Uri(platform.Gateway, "v1").ToString());

            Assert.Contains("\"finish\":\"stop\"", output, StringComparison.Ordinal);
            Assert.Contains("pools.AddVllm", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> RunAsync(string folder, string program, params string[] arguments) =>
        (await TiedProcess.RunAsync(TimeSpan.FromMinutes(3), program, arguments, start => start.WorkingDirectory = folder)).Checked();
}
