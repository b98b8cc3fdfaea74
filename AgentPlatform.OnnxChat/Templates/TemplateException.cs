namespace AgentPlatform.OnnxChat.Templates;

/// <summary>A chat template cannot render what it was given. The message is for the client.</summary>
internal sealed class TemplateException(string message) : Exception(message);

/// <summary>
/// A chat template uses something that <see cref="ChatTemplate"/> does
/// not know, or is not well formed. The message says what and where.
/// </summary>
internal sealed class TemplateSyntaxException(string message, int line) : Exception($"{message} (line {line})");
