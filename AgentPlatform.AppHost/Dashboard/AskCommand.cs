using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.AppHost.Dashboard;

/// <summary>
/// The command <c>ask</c> of the gateway, in the dashboard and for <c>aspire resource gateway ask -- --question "..."</c>: asks one of the
/// platform's models as any client would, and shows the answer.
/// </summary>
internal sealed class AskCommand(EndpointReference gateway, IReadOnlyDictionary<string, ModelOperation> models)
{
    private const string Question = "question";
    private const string Model = "model";

    /// <summary>What it asks for.</summary>
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

    /// <summary>Asks.</summary>
    public async Task<ExecuteCommandResult> ExecuteAsync(ExecuteCommandContext context)
    {
        var (question, model) = (context.Arguments.GetString(Question) ?? "", context.Arguments.GetString(Model) ?? "");
        if (!models.TryGetValue(model, out var operation))
        {
            return CommandResults.Failure($"There is no model '{model}'; there is {string.Join(", ", models.Keys)}.");
        }

        using var http = context.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        http.Timeout = Timeout.InfiniteTimeSpan; // The gateway has a deadline for each request.
        try
        {
            var (path, body) = Describe(operation, model, question);
            using var response = await http.PostAsJsonAsync(new Uri(new Uri(gateway.Url), path), body, context.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(context.CancellationToken);
            return response.IsSuccessStatusCode
                ? CommandResults.Success($"{model} has answered.", AnswerOf(operation, text), CommandResultFormat.Text, displayImmediately: true)
                : CommandResults.Failure(FailureOf(text) ?? $"The gateway answers {(int)response.StatusCode}.");
        }
        catch (HttpRequestException e)
        {
            return CommandResults.Failure($"The gateway does not answer: {e.Message}");
        }
    }

    private static (string Path, JsonObject Body) Describe(ModelOperation operation, string model, string question) =>
        operation == ModelOperation.Chat
            ? ("v1/chat/completions", new JsonObject
            {
                ["model"] = model,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            })
            : ("analyze", new JsonObject { ["model"] = model, ["text"] = question });

    // What is no chat, and an answer without a text, such as a call of a tool, is shown as it is.
    private static string AnswerOf(ModelOperation operation, string response) =>
        operation == ModelOperation.Chat
        && JsonNode.Parse(response)?["choices"]?[0]?["message"]?["content"]?.GetValue<string>() is { Length: > 0 } content ? content : response;

    // {"error":{"message":"..."}} under /v1, {"detail":"..."} elsewhere
    private static string? FailureOf(string response)
    {
        try
        {
            var failure = JsonNode.Parse(response);
            return (failure?["error"]?["message"] ?? failure?["detail"])?.GetValue<string>();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

internal static class AskCommandExtensions
{
    /// <summary>Adds the command to the gateway. To be called when all pools are there.</summary>
    public static IResourceBuilder<ProjectResource> WithAskCommand(this IResourceBuilder<ProjectResource> gateway, IReadOnlyDictionary<string, ModelOperation> models)
    {
        var ask = new AskCommand(gateway.GetEndpoint("http"), models);
        return gateway.WithCommand("ask", "Ask a model", ask.ExecuteAsync, new CommandOptions
        {
            Description = "Asks one of the platform's models and shows its answer.",
            IconName = "ChatHelp",
            IsHighlighted = true,
            Arguments = ask.Inputs,
            Progress = new CommandProgressOptions { Message = "The model is being asked." },
            UpdateState = static context =>
                context.ResourceSnapshot.HealthStatus == HealthStatus.Healthy ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });
    }
}
