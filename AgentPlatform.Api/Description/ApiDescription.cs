using AgentPlatform.Api.Replay;
using AgentPlatform.Api.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace AgentPlatform.Api.Description;

/// <summary>The bodies that the routes take.</summary>
internal enum RequestShape
{
    Chat,
    Analyze,
    Batch,
}

/// <summary>Describes for OpenAPI what the framework cannot see, since the routes read their bodies as bytes.</summary>
internal static class ApiDescription
{
    public static void Describe(OpenApiOptions options) => options.AddDocumentTransformer((document, _, _) =>
    {
        document.Info.Title = "AgentPlatform";
        document.Info.Description =
            "Agents and language models behind one gateway. Errors are OpenAI's envelope, and problem details at /analyze, /invoke and " +
            "/batch; " +
            "every response carries x-request-id, and x-model-version where a model answered.";
        return Task.CompletedTask;
    });

    public static void Describing(this RouteHandlerBuilder route, RequestShape shape) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = Schema(shape) } },
        };
        operation.Parameters = [.. operation.Parameters ?? [], .. Headers(shape)];
        return Task.CompletedTask;
    });

    private static IEnumerable<OpenApiParameter> Headers(RequestShape shape)
    {
        yield return Header(RequestDeadline.Header, JsonSchemaType.Number, "Seconds that the request may take");
        yield return Header(ReplayTerms.KeyHeader, JsonSchemaType.String,
            "A retry with the same key gets the response of the first request");
        if (shape == RequestShape.Chat)
        {
            yield return Header(ReplayTerms.ResumeHeader, JsonSchemaType.Boolean,
                "Whether the events of a stream carry ids, so that it can be gone on with");
            yield return Header(ReplayTerms.LastEventHeader, JsonSchemaType.String,
                "Id of the last event that arrived before the connection broke");
        }
    }

    private static OpenApiParameter Header(string name, JsonSchemaType type, string description) =>
        new() { Name = name, In = ParameterLocation.Header, Description = description, Schema = Of(type) };

    private static OpenApiSchema Schema(RequestShape shape) => shape switch
    {
        RequestShape.Chat => Chat(),
        RequestShape.Analyze => Analyze(),
        _ => new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { AnyOf = [Chat(), Analyze()] } },
    };

    private static OpenApiSchema Analyze() =>
        Object(["text"], new() { ["text"] = Of(JsonSchemaType.String, "The text to judge"), ["model"] = Of(JsonSchemaType.String) });

    private static OpenApiSchema Chat() => Object(["messages"], new()
    {
        ["model"] = Of(JsonSchemaType.String, "Name of a model in /v1/models"),
        ["messages"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            MinItems = 1,
            Items = Object(["role"], new()
            {
                ["role"] = Of(JsonSchemaType.String, "system, developer, user, assistant, tool or function"),
                ["content"] = new OpenApiSchema
                {
                    AnyOf =
                    [
                        Of(JsonSchemaType.String),
                        new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(JsonSchemaType.Object) },
                    ],
                },
            }),
        },
        ["stream"] = Of(JsonSchemaType.Boolean, "Answer with server-sent events"),
        ["stream_options"] = Object([], new() { ["include_usage"] = Of(JsonSchemaType.Boolean) }),
        ["max_completion_tokens"] = Of(JsonSchemaType.Integer),
        ["temperature"] = Of(JsonSchemaType.Number, "0 to 2"),
        ["top_p"] = Of(JsonSchemaType.Number, "0 to 1"),
        ["n"] = Of(JsonSchemaType.Integer, "1 to 128"),
        ["seed"] = Of(JsonSchemaType.Integer),
        ["stop"] = new OpenApiSchema
        {
            AnyOf =
            [
                Of(JsonSchemaType.String),
                new OpenApiSchema { Type = JsonSchemaType.Array, MaxItems = 4, Items = Of(JsonSchemaType.String) },
            ],
        },
        ["tools"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(JsonSchemaType.Object) },
        ["response_format"] = Of(JsonSchemaType.Object),
    });

    private static OpenApiSchema Of(JsonSchemaType type, string? description = null) => new() { Type = type, Description = description };

    // Fields beyond these go to the engine as they are.
    private static OpenApiSchema Object(HashSet<string> required, Dictionary<string, IOpenApiSchema> properties) =>
        new() { Type = JsonSchemaType.Object, Required = required, Properties = properties, AdditionalPropertiesAllowed = true };
}
