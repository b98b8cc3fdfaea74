using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>
/// A Secret in Kubernetes' binary form, in which Helm sends what it keeps of its releases: the four bytes <c>k8s\0</c>, then Protocol
/// Buffers with the kind (field 1) and the object (2), of which name, namespace, version, labels, data and type are read.
/// </summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding"/>
internal static class SecretMessage
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <exception cref="ApiException">It is something else.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> message)
    {
        var envelope = message.StartsWith(Magic) ? Fields(message[Magic.Length..]) : null;
        if (envelope is null || Text(Fields(envelope[1].Single()), 2) != "Secret")
        {
            throw new ApiException(StatusCodes.Status415UnsupportedMediaType, "UnsupportedMediaType", "only Secrets are read in this form");
        }

        var secret = Fields(envelope[2].Single());
        var metadata = Fields(secret[1].Single());
        var item = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = Text(metadata, 1), ["labels"] = Map(metadata[11], Encoding.UTF8.GetString) },
            ["type"] = Text(secret, 3),
            ["data"] = Map(secret[2], Convert.ToBase64String),
        };
        if (Text(metadata, 6) is { Length: > 0 } version)
        {
            item["metadata"]!["resourceVersion"] = version;
        }

        return item;
    }

    private static string Text(ILookup<ulong, byte[]> fields, ulong number) =>
        Encoding.UTF8.GetString(fields[number].LastOrDefault() ?? []);

    private static JsonObject Map(IEnumerable<byte[]> entries, Func<byte[], string> value) =>
        new(
            entries.Select(entry => Fields(entry))
                .Select(entry => KeyValuePair.Create(Text(entry, 1), (JsonNode?)value(entry[2].LastOrDefault() ?? []))));

    // Number to bytes of each field; numbers themselves have none here.
    private static ILookup<ulong, byte[]> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new List<(ulong Number, byte[] Value)>();
        while (message.Length > 0)
        {
            var tag = Number(ref message);
            var value = (tag & 7) switch
            {
                0 => Take(ref message, VarintLength(message)),
                1 => Take(ref message, sizeof(ulong)),
                2 => Take(ref message, (int)Number(ref message)),
                5 => Take(ref message, sizeof(uint)),
                var type => throw new InvalidDataException($"There is no wire type {type}."),
            };
            fields.Add((tag >> 3, value));
        }

        return fields.ToLookup(field => field.Number, field => field.Value);
    }

    private static int VarintLength(ReadOnlySpan<byte> message) => message.IndexOfAnyInRange((byte)0, (byte)127) + 1;

    private static ulong Number(ref ReadOnlySpan<byte> message)
    {
        var bytes = Take(ref message, VarintLength(message));
        return bytes.Reverse().Aggregate(0UL, (number, part) => (number << 7) | (uint)(part & 127));
    }

    private static byte[] Take(ref ReadOnlySpan<byte> message, int length)
    {
        var taken = message[..length].ToArray();
        message = message[length..];
        return taken;
    }
}
