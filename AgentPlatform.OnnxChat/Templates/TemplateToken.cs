namespace AgentPlatform.OnnxChat.Templates;

internal enum TemplateTokenKind
{
    /// <summary>Text outside of tags.</summary>
    Text,

    /// <summary><c>{{</c></summary>
    OpenOutput,

    /// <summary><c>}}</c></summary>
    CloseOutput,

    /// <summary><c>{%</c></summary>
    OpenStatement,

    /// <summary><c>%}</c></summary>
    CloseStatement,

    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template's source.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its characters; of a string what it stands for.</param>
/// <param name="Line">The line that it begins in, from 1.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line)
{
    public bool IsName(string name) => Kind == TemplateTokenKind.Name && Text == name;

    public bool IsOperator(string symbol) => Kind == TemplateTokenKind.Operator && Text == symbol;
}
