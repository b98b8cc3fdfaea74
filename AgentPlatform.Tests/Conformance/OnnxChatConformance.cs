namespace AgentPlatform.Tests.Conformance;

/// <summary>The engine that computes tiny-chat in the worker.</summary>
public sealed class OnnxChatConformance(OnnxChatConformance.Subject subject) : ChatConformance<OnnxChatConformance.Subject>(subject)
{
    public sealed class Subject : ChatSubject
    {
        public override int? ContextSize => 512;

        protected override Task<IEnumerable<(string Key, string Value)>> StartAsync() =>
            Task.FromResult<IEnumerable<(string, string)>>([("Engine:Type", "onnx-chat"), ("Model:Source", TinyChat.Folder)]);
    }
}
