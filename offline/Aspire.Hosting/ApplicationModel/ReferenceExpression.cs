using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A string with values in it that are known when the application runs. Immutable.</summary>
public sealed class ReferenceExpression : IValueProvider, IManifestExpressionProvider
{
    private ReferenceExpression(string format, IReadOnlyList<ReferencePart> parts)
    {
        Format = format;
        Parts = parts;
    }

    /// <inheritdoc />
    public string ValueExpression =>
        string.Format(CultureInfo.InvariantCulture, Format, [.. Parts.Select(part => part.Expression)]);

    /// <summary>Text with the parts as {0}, {1}...</summary>
    internal string Format { get; }

    internal IReadOnlyList<ReferencePart> Parts { get; }

    /// <summary>Makes an expression of an interpolated string. The format <c>:uri</c> escapes a part for use in a URI.</summary>
    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => handler.ToExpression();

    /// <inheritdoc />
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var values = new object?[Parts.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var value = await Parts[i].Value.GetValueAsync(cancellationToken);
            values[i] = Parts[i].IsUriEncoded && value is not null ? Uri.EscapeDataString(value) : value;
        }

        return string.Format(CultureInfo.InvariantCulture, Format, values);
    }

    /// <summary>Collects the parts of an interpolated string.</summary>
    [InterpolatedStringHandler]
    public ref struct ExpressionInterpolatedStringHandler(int literalLength, int formattedCount)
    {
        private readonly StringBuilder _format = new(literalLength + (formattedCount * 3));
        private readonly List<ReferencePart> _parts = new(formattedCount);

        /// <summary>Adds text.</summary>
        public readonly void AppendLiteral(string value) =>
            _format.Append(value.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));

        /// <summary>Adds text.</summary>
        public readonly void AppendFormatted(string? value) => AppendLiteral(value ?? "");

        /// <summary>Adds a value.</summary>
        public readonly void AppendFormatted<T>(T value) where T : IValueProvider, IManifestExpressionProvider => AppendFormatted(value, format: null);

        /// <summary>Adds a value, escaped for a URI if <paramref name="format"/> is <c>uri</c>.</summary>
        public readonly void AppendFormatted<T>(T value, string? format) where T : IValueProvider, IManifestExpressionProvider
        {
            if (format is not (null or "uri"))
            {
                throw new FormatException($"A reference expression knows the format 'uri', not '{format}'.");
            }

            _format.Append(CultureInfo.InvariantCulture, $"{{{_parts.Count}}}");
            _parts.Add(new ReferencePart(value, value, format == "uri"));
        }

        /// <summary>Adds the value of a resource.</summary>
        public readonly void AppendFormatted<T>(IResourceBuilder<T> builder) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            AppendFormatted(builder.Resource, format: null);

        /// <summary>Adds the value of a resource, escaped for a URI if <paramref name="format"/> is <c>uri</c>.</summary>
        public readonly void AppendFormatted<T>(IResourceBuilder<T> builder, string? format) where T : IResource, IValueProvider, IManifestExpressionProvider =>
            AppendFormatted(builder.Resource, format);

        internal readonly ReferenceExpression ToExpression() => new(_format.ToString(), [.. _parts]);
    }
}

/// <summary>One value in a reference expression.</summary>
internal sealed record ReferencePart(IValueProvider Value, IManifestExpressionProvider Manifest, bool IsUriEncoded)
{
    /// <summary>An encoded parameter is a resource of its own in a manifest: <c>{NAME-uri-encoded.value}</c>.</summary>
    public string Expression => IsEncodedResource ? $"{{{EncodedName}.value}}" : Manifest.ValueExpression;

    public bool IsEncodedResource => IsUriEncoded && Value is ParameterResource;

    public string EncodedName => $"{((ParameterResource)Value).Name}-uri-encoded";
}
