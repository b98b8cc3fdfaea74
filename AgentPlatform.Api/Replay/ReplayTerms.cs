using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Replay;

/// <summary>What a request asks for beyond its answer.</summary>
/// <param name="Key">Its idempotency key; null if it has none.</param>
/// <param name="IsResumable">Whether the events of its stream are to carry ids.</param>
/// <param name="LastEvent">The event behind which it wants to go on; null if it begins.</param>
internal sealed record ReplayTerms(string? Key, bool IsResumable, (Guid Request, int Number)? LastEvent)
{
    /// <summary>A retry with the same key gets the response of the first request.</summary>
    public const string KeyHeader = "Idempotency-Key";

    /// <summary><c>true</c>: a stream whose connection breaks can be gone on with.</summary>
    public const string ResumeHeader = "x-stream-resume";

    /// <summary>The id of the last event that arrived: <c>REQUEST:NUMBER</c>.</summary>
    public const string LastEventHeader = "Last-Event-ID";

    /// <summary><c>true</c> on a response that another request with the key began.</summary>
    public const string ReplayedHeader = "idempotency-replayed";

    private const int MaxKeyLength = 255;

    /// <summary>Reads the headers; null if none of them is there.</summary>
    /// <exception cref="InferenceException">400: one of them cannot be understood.</exception>
    public static ReplayTerms? Read(IHeaderDictionary headers)
    {
        var hasKey = headers.TryGetValue(KeyHeader, out var key);
        var hasResume = headers.TryGetValue(ResumeHeader, out var resume);
        var hasLast = headers.TryGetValue(LastEventHeader, out var last);
        if (!hasKey && !hasResume && !hasLast)
        {
            return null;
        }

        if (hasKey && (key.Count != 1 || key[0]!.Length is 0 or > MaxKeyLength))
        {
            throw ReplayErrors.Invalid(KeyHeader, $"must have 1 to {MaxKeyLength} characters");
        }

        var isResumable = false;
        if (hasResume && !bool.TryParse(resume, out isResumable))
        {
            throw ReplayErrors.Invalid(ResumeHeader, "must be 'true' or 'false'");
        }

        return hasKey || isResumable || hasLast ? new ReplayTerms(key, isResumable, hasLast ? ReadEvent(last.ToString()) : null) : null;
    }

    /// <summary>The name under which the response to a key is found, by the same caller only.</summary>
    public static string KeyName(HttpRequest request, string key) => $"key:{Caller(request)}:{key}";

    /// <summary>The name under which a stream is found, by the same caller only.</summary>
    public static string StreamName(HttpRequest request, Guid stream) => $"stream:{Caller(request)}:{stream:N}";

    /// <summary>Digest of what makes two requests the same: path, query and body.</summary>
    public static string Fingerprint(HttpRequest request, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Path}\n{request.QueryString}\n"));
        hash.AppendData(body);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static (Guid, int) ReadEvent(string id) =>
        id.Split(':') is [var request, var number] && Guid.TryParse(request, out var stream)
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? (stream, at)
            : throw ReplayErrors.Invalid(LastEventHeader, "must be the id of an event of a stream");

    // Whoever cannot show the same credentials is somebody else. Only their digest is kept.
    private static string Caller(HttpRequest request) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString())));
}
