using AgentPlatform.Api.Analyze;
using AgentPlatform.Api.Answers;
using AgentPlatform.Api.Batches;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Chat;
using AgentPlatform.Api.Connections;
using AgentPlatform.Api.Description;
using AgentPlatform.Api.Edge;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Replay;
using AgentPlatform.Api.Requests;
using AgentPlatform.Api.Startup;
using AgentPlatform.Api.Stopping;
using AgentPlatform.Api.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace AgentPlatform.Api;

/// <summary>
/// The platform's HTTP surface, over the <see cref="AgentPlatform.Inference.IInference"/> and the
/// <see cref="IModelCatalogue"/> that the process registers. The gateway and every worker serve the same one.
/// </summary>
public static class InferenceApiExtensions
{
    /// <summary>Adds what the routes need: options, limits, OpenAPI.</summary>
    public static TBuilder AddInferenceApi<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<InferenceApiOptions>().BindConfiguration(InferenceApiOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<InferenceApiOptions>, InferenceApiOptionsValidator>();
        services.AddServerLimits();
        services.AddHostedService<RejectedRequests>();
        services.AddEdge();
        services.AddHostedService<OpenSurface>();
        services.AddStopping();
        services.AddSingleton<InferenceMetrics>();
        services.AddOptions<MessageContentOptions>()
            .Configure<IConfiguration>(static (content, configuration) => content.Capture = configuration[MessageContentOptions.Key])
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<MessageContentOptions>, MessageContentOptionsValidator>();
        services.AddSingleton<InferenceSpans>();
        services.AddOptions<ReplayOptions>().BindConfiguration(ReplayOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ReplayOptions>, ReplayOptionsValidator>();
        services.AddSingleton<ReplayMetrics>();
        services.AddSingleton<RecordedResponses>();
        services.AddSingleton<ResponseSender>();
        services.AddSingleton<RequestBodies>();
        services.AddSingleton<InferenceCall>();
        services.AddOpenApi(ApiDescription.Describe);
        return builder;
    }

    /// <summary>Maps the routes.</summary>
    public static WebApplication MapInferenceApi(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = RequestErrors.WriteUnhandledAsync });
        app.UseStopping();
        app.UseRequestIdentity();
        app.UseMiddleware<RequestErrors>();
        app.UseEdge();
        app.UseMiddleware<RecordedRequests>();

        app.MapGet("/", () => "AI Agent Microservice is running.").WithSummary("Says that the service runs");
        app.MapPost("/analyze", AnalyzeApi.AnalyzeAsync).WithSummary("Judges the sentiment of a text").Describing(RequestShape.Analyze);
        app.MapPost("/invoke", ChatApi.InvokeAsync)
            .WithSummary("Answers one chat request as a whole; without a model, by the first that chats").Describing(RequestShape.Chat);
        app.MapPost("/batch", BatchApi.BatchAsync).WithSummary("Answers many requests in order; a failing one has an error in its place")
            .Describing(RequestShape.Batch);
        app.MapPost("/v1/chat/completions", ChatApi.CompletionsAsync).WithSummary("OpenAI's chat completions, streamed or whole")
            .Describing(RequestShape.Chat);
        app.MapGet("/v1/models", ModelsApi.List).WithSummary("The models");
        app.MapGet("/v1/models/{*id}", ModelsApi.Get).WithSummary("One model");
        app.MapOpenApi();
        app.MapScalarApiReference("/scalar", scalar => scalar.WithTitle("AgentPlatform").DisableDefaultFonts());
        return app;
    }
}
