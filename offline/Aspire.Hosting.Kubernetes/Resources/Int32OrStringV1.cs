using System.Globalization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A number, or a text that stands for one.</summary>
public sealed class Int32OrStringV1
{
    private Int32OrStringV1(string text) => Text = text;

    internal string Text { get; }

    /// <summary>A number.</summary>
    public static implicit operator Int32OrStringV1(int value) => new(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A name, or a text with a number in it; null for null.</summary>
    public static implicit operator Int32OrStringV1?(string? value) => value is null ? null : new(value);
}
