using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Training.Sentiment;

/// <summary>What the written model reaches on the held-out split; the model's <c>metrics.json</c>.</summary>
internal sealed record SentimentMetrics(
    int TrainingComments, int HeldOutComments, double MacroF1, double Accuracy, double CalibrationError,
    SortedDictionary<string, PhenomenonMetrics> Phenomena);

/// <summary>Figures for the comments of one phenomenon.</summary>
internal sealed record PhenomenonMetrics(int Comments, double MacroF1);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(SentimentMetrics))]
internal sealed partial class SentimentJson : JsonSerializerContext;
