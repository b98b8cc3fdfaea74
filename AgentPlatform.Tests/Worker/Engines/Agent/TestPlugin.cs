using System.ComponentModel;
using System.Text.Json;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>Tools, good and bad, that an agent is given by the class's name.</summary>
public sealed class TestPlugin
{
    /// <summary>Name of the class as <c>Agent:Plugins</c> takes it.</summary>
    public const string Name = "AgentPlatform.Tests.Worker.Engines.Agent.TestPlugin, AgentPlatform.Tests";

    /// <summary>Set when the tool that waits for its token has begun.</summary>
    public static TaskCompletionSource Began { get; private set; } = new();

    /// <summary>Set when it was cancelled.</summary>
    public static TaskCompletionSource Cancelled { get; private set; } = new();

    /// <summary>For a new test.</summary>
    public static void Prepare() => (Began, Cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());

    [KernelFunction("weather")]
    [Description("Says the weather of cities.")]
    public static Task<string> WeatherAsync([Description("Names of cities.")] IReadOnlyList<string> cities) =>
        Task.FromResult($"sunny in {string.Join(" and ", cities)}");

    [KernelFunction("double")]
    public static int Twice(int number) => number * 2;

    [KernelFunction("echo")]
    public static JsonElement Echo(JsonElement value) => value;

    [KernelFunction("fail")]
    public static string Fail() => throw new InvalidOperationException("The disk is full.");

    /// <summary>Ignores its token, and blocks its thread.</summary>
    [KernelFunction("hang")]
    public static string Hang()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(TimeSpan.FromMinutes(1));
        return "too late";
    }

    [KernelFunction("wait")]
    public static async Task<string> WaitAsync(CancellationToken cancellationToken)
    {
        Began.TrySetResult();
        await cancellationToken.WaitAsync();
        Cancelled.TrySetResult();
        cancellationToken.ThrowIfCancellationRequested();
        return "";
    }
}
