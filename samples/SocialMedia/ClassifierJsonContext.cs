using System.Text.Json;
using System.Text.Json.Serialization;

namespace SocialMedia;

/// <summary><c>{"text":"I love it"}</c></summary>
internal sealed record ClassifierRequest(string Text);

/// <summary><c>{"sentiment":"Positive","confidence":0.93}</c></summary>
internal sealed record ClassifierAnswer(string Sentiment, double Confidence);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ClassifierRequest))]
[JsonSerializable(typeof(ClassifierAnswer))]
internal sealed partial class ClassifierJsonContext : JsonSerializerContext;
