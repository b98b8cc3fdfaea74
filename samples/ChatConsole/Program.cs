// Chats with a model behind the gateway and prints its answer token by token as it is made.
//   dotnet run --project samples/ChatConsole [-- --gateway http://localhost:8080 --model tiny-chat "one question"]
using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;

if (ChatArguments.Parse(args) is not { } options)
{
    return 2;
}

// The gateway speaks OpenAI's protocol, so OpenAI's own client is all that is needed. Its key is sent but asked for only where the gateway is set to.
var key = Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { Length: > 0 } given ? given : "none";
var client = new ChatClient(options.Model, new ApiKeyCredential(key), new OpenAIClientOptions
{
    Endpoint = new Uri(options.Gateway, "/v1"),
    RetryPolicy = new ClientRetryPolicy(maxRetries: 0), // A person at a prompt rather sees the failure at once.
});
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

List<ChatMessage> conversation = [];
try
{
    if (options.Question is { } question)
    {
        await AnswerAsync(question);
        return 0;
    }

    Console.WriteLine($"Chatting with {options.Model} at {options.Gateway}. An empty line ends it.");
    for (Console.Write("> "); Console.ReadLine() is { Length: > 0 } line; Console.Write("> "))
    {
        await AnswerAsync(line);
    }

    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine();
    return 130;
}
catch (ClientResultException failure)
{
    Console.Error.WriteLine(failure.Status == 0
        ? $"No gateway answers at {options.Gateway}: start it with ./run.sh, or name its address with --gateway."
        : $"The gateway refused: {failure.Message}");
    return 1;
}

async Task AnswerAsync(string question)
{
    conversation.Add(new UserChatMessage(question));
    var answer = new StringBuilder();
    await foreach (var update in client.CompleteChatStreamingAsync(conversation, cancellationToken: stop.Token))
    {
        foreach (var part in update.ContentUpdate)
        {
            Console.Write(part.Text);
            answer.Append(part.Text);
        }
    }

    Console.WriteLine();
    conversation.Add(new AssistantChatMessage(answer.ToString()));
}

internal sealed record ChatArguments(Uri Gateway, string Model, string? Question)
{
    private const string Usage = """
        Usage: ChatConsole [--gateway URL] [--model NAME] [QUESTION]

          --gateway URL   the gateway's address (http://localhost:8080)
          --model NAME    a model that GET /v1/models lists (tiny-chat)
          QUESTION        ask this and leave; without it, a conversation
        """;

    /// <summary>Reads the command line; null, after the reason was printed, when there is nothing to run.</summary>
    public static ChatArguments? Parse(string[] args)
    {
        var parsed = new ChatArguments(new Uri("http://localhost:8080"), "tiny-chat", null);
        for (var i = 0; i < args.Length; i++)
        {
            var next = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--gateway" when Uri.TryCreate(next, UriKind.Absolute, out var gateway):
                    (parsed, i) = (parsed with { Gateway = gateway }, i + 1);
                    break;
                case "--model" when next is { Length: > 0 }:
                    (parsed, i) = (parsed with { Model = next }, i + 1);
                    break;
                case ['-', ..]:
                    Console.Error.WriteLine(Usage);
                    return null;
                default:
                    parsed = parsed with { Question = args[i] };
                    break;
            }
        }

        return parsed;
    }
}
