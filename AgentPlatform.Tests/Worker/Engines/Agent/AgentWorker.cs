namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>A worker whose engine is an agent with the tests' tools.</summary>
internal static class AgentWorker
{
    public static async Task<ServiceHost> StartAsync(ScriptedModel model, params (string Key, string Value)[] settings)
    {
        var worker = await ServiceHost.WorkerAsync(
        [
            ("Engine:Type", "agent"),
            ("Agent:Instructions", "Be brief."),
            ("Agent:Plugins:0", TestPlugin.Name),
            ("Agent:Model:Name", "llm"),
            ("Agent:Model:Transport", "openai"),
            ("Agent:Model:Endpoint", model.Endpoint),
            .. settings,
        ]);
        return await worker.ReadyAsync();
    }
}
