using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.AppHost.Dashboard;

/// <summary>
/// The gateway's command <c>ask</c>, in the dashboard and for <c>aspire resource gateway ask -- --question "..."</c>: sends a question to a
/// model through the gateway's HTTP API, and shows the answer.
/// </summary>
internal sealed class AskCommand(EndpointReference gateway, IReadOnlyDictionary<string, ModelOperation> models)
{
    private const string Question = "question";
    private const string Model = "model";

    /// <summary>The command's arguments.</summary>
    public IReadOnlyList<InteractionInput> Inputs { get; } =
    [
        new()
        {
            Name = Question,
            Label = "Question",
            InputType = InputType.Text,
            Required = true,
            MaxLength = 4000,
            Placeholder = "How do I add a GPU pool?",
        },
        new()
        {
            Name = Model,
            Label = "Model",
            InputType = InputType.Choice,
            Required = true,
            Value = models.Where(model => model.Value == ModelOperation.Chat).Concat(models).Select(model => model.Key).FirstOrDefault(),
            Options = [.. models.Keys.Select(name => KeyValuePair.Create(name, name))],
        },
    ];

    /// <summary>Sends the question; the result is the answer, or the gateway's error message.</summary>
    public async Task<ExecuteCommandResult> ExecuteAsync(ExecuteCommandContext context)
    {
        var (question, model) = (context.Arguments.GetString(Question) ?? "", context.Arguments.GetString(Model) ?? "");
        if (!models.TryGetValue(model, out var operation))
        {
            return CommandResults.Failure($"There is no model '{model}'; choose one of {string.Join(", ", models.Keys)}.");
        }

        using var http = context.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        http.Timeout = Timeout.InfiniteTimeSpan; // The gateway enforces a deadline.
        try
        {
            var (path, body) = RequestFor(operation, model, question);
            using var response = await http.PostAsJsonAsync(new Uri(new Uri(gateway.Url), path), body, context.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(context.CancellationToken);
            return response.IsSuccessStatusCode
                ? CommandResults.Success(
                    $"{model} has answered.", AnswerOf(operation, text), CommandResultFormat.Text, displayImmediately: true)
                : CommandResults.Failure(ErrorOf(text) ?? $"The gateway answers {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e)
        {
            return CommandResults.Failure($"The gateway does not answer: {e.Message}");
        }
    }

    private static (string Path, JsonObject Body) RequestFor(ModelOperation operation, string model, string question) =>
        operation == ModelOperation.Chat
            ? ("v1/chat/completions", new JsonObject
            {
                ["model"] = model,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            })
            : ("analyze", new JsonObject { ["model"] = model, ["text"] = question });

    // A response without a text, such as a classification or a tool call, is shown as JSON.
    private static string AnswerOf(ModelOperation operation, string response) =>
        operation == ModelOperation.Chat
        && JsonNode.Parse(response)?["choices"]?[0]?["message"]?["content"]?.GetValue<string>() is { Length: > 0 } content
            ? content : response;

    // {"error":{"message":"..."}} under /v1, {"detail":"..."} elsewhere
    private static string? ErrorOf(string response)
    {
        try
        {
            var error = JsonNode.Parse(response);
            return (error?["error"]?["message"] ?? error?["detail"])?.GetValue<string>();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

internal static class AskCommandExtensions
{
    /// <summary>Adds the command to the gateway.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="models">The operation of each model, by name; complete, since the choice of models is built now.</param>
    public static IResourceBuilder<ProjectResource> WithAskCommand(
        this IResourceBuilder<ProjectResource> gateway, IReadOnlyDictionary<string, ModelOperation> models)
    {
        var ask = new AskCommand(gateway.GetEndpoint("http"), models);
        return gateway.WithCommand("ask", "Ask a model", ask.ExecuteAsync, new CommandOptions
        {
            Description = "Asks one of the platform's models and shows its answer.",
            IconName = "ChatHelp",
            IsHighlighted = true,
            Arguments = ask.Inputs,
            Progress = new CommandProgressOptions { Message = "The model is being asked." },
            UpdateState = static context => context.ResourceSnapshot.HealthStatus == HealthStatus.Healthy
                ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });
    }
}
