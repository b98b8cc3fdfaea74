// Chats with a model and prints its answer token by token as it is made. How the model is reached is configuration; the program is the same:
//   dotnet run --project samples/ChatConsole -- "What is a quorum queue?"                   by the gateway, as by any OpenAI-compatible server
//   ... -- --transport http --endpoint http://localhost:5200 "..."                          by a worker or an agent in a container
//   ... -- --transport queue --broker amqp://user:password@localhost:5672 "..."             by the broker, without a gateway
using System.Text;
using AgentPlatform.Api.Startup;
using AgentPlatform.Client;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var (settings, question) = Split(args);
if (settings.Contains("--help"))
{
    Console.WriteLine("Usage: ChatConsole [--model NAME] [--transport openai|http|queue] [--endpoint URL] [--broker URL] [QUESTION]");
    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
    builder.Configuration.AddCommandLine(settings, new Dictionary<string, string>
    {
        ["--model"] = "AgentPlatform:Models:0:Name",
        ["--transport"] = "AgentPlatform:Models:0:Transport",
        ["--endpoint"] = "AgentPlatform:Models:0:Endpoint",
        ["--broker"] = "ConnectionStrings:messaging",
    });
    builder.AddAgentPlatformClient(builder.Configuration["AgentPlatform:Models:0:Name"]!);
    using var host = builder.Build();
    await host.StartAsync(stop.Token);
    await ChatAsync(host.Services.GetRequiredService<IChatClient>());
    await host.StopAsync();
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine();
    return 130;
}
catch (InferenceException refusal)
{
    Console.Error.WriteLine($"{refusal.Message} ({refusal.Error.Status})");
    return 1;
}
catch (Exception e) when (StartupMistake.Describe(e) is { } sentence)
{
    Console.Error.WriteLine(sentence);
    return 2;
}

async Task ChatAsync(IChatClient model)
{
    List<ChatMessage> conversation = [];
    if (question is not null)
    {
        await AnswerAsync(question);
        return;
    }

    Console.WriteLine("An empty line ends the conversation.");
    for (Console.Write("> "); Console.ReadLine() is { Length: > 0 } line; Console.Write("> "))
    {
        await AnswerAsync(line);
    }

    async Task AnswerAsync(string asked)
    {
        conversation.Add(new ChatMessage(ChatRole.User, asked));
        var answer = new StringBuilder();
        await foreach (var update in model.GetStreamingResponseAsync(conversation, cancellationToken: stop.Token))
        {
            Console.Write(update.Text);
            answer.Append(update.Text);
        }

        Console.WriteLine();
        conversation.Add(new ChatMessage(ChatRole.Assistant, answer.ToString()));
    }
}

static (string[] Settings, string? Question) Split(string[] args)
{
    List<string> settings = [];
    string? question = null;
    for (var i = 0; i < args.Length; i++)
    {
        if (!args[i].StartsWith("--", StringComparison.Ordinal))
        {
            question = args[i];
            continue;
        }

        settings.Add(args[i]);
        if (!args[i].Contains('=', StringComparison.Ordinal) && i + 1 < args.Length)
        {
            settings.Add(args[++i]);
        }
    }

    return ([.. settings], question);
}
