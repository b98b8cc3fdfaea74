namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>A worker whose engine is an agent with the tests' tools.</summary>
internal static class AgentWorker
{
    public static async Task<TestWorker> StartAsync(ScriptedModel model, params (string Key, string Value)[] settings)
    {
        var worker = await TestWorker.StartAsync(engine: null, broker: null,
        [
            ("Engine:Type", "agent"),
            ("Agent:Instructions", "Be brief."),
            ("Agent:Plugins:0", TestPlugin.Name),
            ("Agent:Model:Name", "llm"),
            ("Agent:Model:Transport", "openai"),
            ("Agent:Model:Endpoint", model.Endpoint),
            .. settings,
        ]);
        await worker.ReadyAsync();
        return worker;
    }
}
