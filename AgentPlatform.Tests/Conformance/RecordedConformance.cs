namespace AgentPlatform.Tests.Conformance;

/// <summary>The openai engine in front of OpenAI's endpoint, as recorded.</summary>
public sealed class RecordedConformance(RecordedConformance.Subject subject) : ChatConformance<RecordedConformance.Subject>(subject)
{
    public sealed class Subject : ChatSubject
    {
        private RecordedEndpoint? _endpoint;

        public override int? ContextSize => 16385;

        protected override async Task<IEnumerable<(string Key, string Value)>> StartAsync()
        {
            _endpoint = await RecordedEndpoint.StartAsync();
            return
            [
                ("Engine:Type", "openai"), ("OpenAI:Endpoint", _endpoint.Address.AbsoluteUri), ("OpenAI:ApiKey", RecordedEndpoint.ApiKey),
                ("OpenAI:UpstreamModel", RecordedEndpoint.Model),
            ];
        }

        protected override Task StopAsync() => _endpoint?.DisposeAsync().AsTask() ?? Task.CompletedTask;
    }
}
