namespace AgentPlatform.Tests.Conformance;

/// <summary>The engine that takes a GPU's time.</summary>
public sealed class SimulatedConformance(SimulatedConformance.Subject subject) : ChatConformance<SimulatedConformance.Subject>(subject)
{
    public sealed class Subject : ChatSubject
    {
        public override int? ContextSize => null;

        protected override Task<IEnumerable<(string Key, string Value)>> StartAsync() => Task.FromResult<IEnumerable<(string, string)>>(
            [
                ("Engine:Type", "simulated"), ("Simulated:TimeToFirstToken", "00:00:00"), ("Simulated:TimePerToken", "00:00:00.002"),
                ("Simulated:AnswerTokens", "40"),
            ]);
    }
}
