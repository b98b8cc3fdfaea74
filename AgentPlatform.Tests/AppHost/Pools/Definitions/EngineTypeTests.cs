using AgentPlatform.AppHost.Pools.Definitions;
using AgentPlatform.Worker;
using AgentPlatform.Worker.Engines;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.AppHost.Pools.Definitions;

/// <summary>The AppHost cannot reference the worker's table of engines; it has a table of its own.</summary>
public sealed class EngineTypeTests
{
    [Fact]
    public void The_chart_knows_of_each_engine_what_the_worker_knows() => Assert.Equal(
        EngineTypes.All.Select(static engine =>
            (engine.Name, Operations: string.Join(' ', engine.Operations), engine.ReadsWeights, engine.TakesExecutionProvider,
                engine.CallsOut, engine.AsksModels)),
        EngineType.All.Select(static engine => (Name: engine.Key, Facts: engine.Value)).Select(static engine =>
            (engine.Name, Operations: string.Join(' ', engine.Facts.Operations), engine.Facts.ReadsWeights,
                engine.Facts.TakesExecutionProvider, engine.Facts.CallsOut, engine.Facts.AsksModels)));

    [Theory]
    [InlineData("agent")]
    [InlineData("onnx-chat")]
    [InlineData("onnx-classifier")]
    [InlineData("openai")]
    [InlineData("simulated")]
    [InlineData("triton")]
    [InlineData("triton", "Positive")]
    public async Task An_engine_does_nothing_that_its_descriptor_leaves_out(string name, string? label = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Model:Name"] = "m",
            ["Engine:Type"] = name,
            ["OpenAI:Endpoint"] = "http://localhost:1/v1",
            ["Triton:Endpoint"] = "http://localhost:1",
            ["Triton:Labels:0"] = label,
            ["Agent:Model:Name"] = "other",
            ["Agent:Model:Transport"] = "openai",
            ["Agent:Model:Endpoint"] = "http://localhost:1/v1",
        });
        builder.AddEngine();
        await using var app = builder.Build();

        var operations = app.Services.GetRequiredService<IEngine>().Traits.Operations;

        Assert.NotEmpty(operations);
        Assert.Subset(EngineTypes.Find(name).Operations.ToHashSet(), operations.ToHashSet());
    }
}
