namespace AgentPlatform.Tests.Conformance;

/// <summary>The openai engine in front of a real llama-server.</summary>
[Trait("Category", "Servers")]
public sealed class LlamaServerConformance(LlamaServerConformance.Subject subject)
    : ChatConformance<LlamaServerConformance.Subject>(subject)
{
    public class Subject : ChatSubject
    {
        private LlamaServer? _server;

        /// <summary>Whether it computes in single precision.</summary>
        protected virtual bool SinglePrecision => false;

        public override int? ContextSize => LlamaServer.ContextSize;

        protected override async Task<IEnumerable<(string Key, string Value)>> StartAsync()
        {
            _server = await LlamaServer.StartAsync(SinglePrecision);
            return [("Engine:Type", "openai"), ("OpenAI:Endpoint", new Uri(_server.Address, "/v1").AbsoluteUri)];
        }

        protected override Task StopAsync() => _server?.DisposeAsync().AsTask() ?? Task.CompletedTask;
    }
}
