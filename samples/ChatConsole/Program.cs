using System.CommandLine;
using System.Text;
using AgentPlatform.Client;
using AgentPlatform.Inference;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

// Chats with a model and prints its answer token by token as it is made. How the model is reached is configuration; the
// program is the same: dotnet run --project samples/ChatConsole -- "What is a quorum queue?" by the gateway, as by any
// OpenAI-compatible server ... -- --transport http --endpoint http://localhost:5200 "..." by a worker or an agent in a
// container ... -- --transport queue --broker amqp://user:password@localhost:5672 "..." by the broker, without a gateway
const string Model = $"{ClientExtensions.Section}:0";

var question = new Argument<string?>(
    "question") { Description = "What to ask; without it the program holds a conversation.", Arity = ArgumentArity.ZeroOrOne };
var settings = new Dictionary<Option<string>, string>
{
    [new Option<string>("--model") { Description = "Name of the model." }] = $"{Model}:Name",
    [new Option<string>("--transport") { Description = "openai, http or queue." }] = $"{Model}:Transport",
    [new Option<string>("--endpoint") { Description = "Address of the server, for openai and http." }] = $"{Model}:Endpoint",
    [new Option<string>("--broker") { Description = "Address of the broker, for queue." }] = "ConnectionStrings:messaging",
};
var command = new RootCommand("Chats with a model of the platform.") { question };
foreach (var option in settings.Keys)
{
    command.Add(option);
}

command.SetAction(async (arguments, stop) =>
{
    try
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(settings
            .Where(setting => arguments.GetValue(setting.Key) is not null)
            .Select(setting => KeyValuePair.Create(setting.Value, arguments.GetValue(setting.Key))));
        builder.AddAgentPlatformClient(builder.Configuration[$"{Model}:Name"]!);
        using var host = builder.Build();
        await host.StartAsync(stop);
        await ChatAsync(host.Services.GetRequiredService<IChatClient>(), arguments.GetValue(question), stop);
        await host.StopAsync(stop);
        return 0;
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        Console.WriteLine();
        return 130;
    }
    catch (Exception e) when (e is InferenceException or OptionsValidationException or UriFormatException)
    {
        Console.Error.WriteLine(e.Message);
        return e is InferenceException ? 1 : 2;
    }
});
return await command.Parse(args).InvokeAsync();

static async Task ChatAsync(IChatClient model, string? question, CancellationToken stop)
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
        await foreach (var update in model.GetStreamingResponseAsync(conversation, cancellationToken: stop))
        {
            Console.Write(update.Text);
            answer.Append(update.Text);
        }

        Console.WriteLine();
        conversation.Add(new ChatMessage(ChatRole.Assistant, answer.ToString()));
    }
}
