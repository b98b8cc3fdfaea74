namespace AgentPlatform.Worker.Engines.Analyze;

/// <summary>What a classifier says about one text.</summary>
/// <param name="Label">The most probable label, as the model's <c>config.json</c> spells it.</param>
/// <param name="Confidence">The softmax probability of <paramref name="Label"/>, 0 to 1.</param>
internal readonly record struct Classification(string Label, float Confidence);
