using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Weights;

/// <summary>
/// Fetches the files of a model over HTTP: continues where an attempt broke off, and keeps only files with the expected digest.
/// </summary>
/// <remarks>Safe for concurrent use for different files.</remarks>
internal sealed partial class WeightsClient(
    IHttpClientFactory http, IOptions<WeightsOptions> options, TimeProvider time, ILogger<WeightsClient> logger)
{
    /// <summary>Name of the HTTP client.</summary>
    public const string HttpName = "weights";

    private const int MaxListSize = 1 << 20;
    private const int MaxIdleAttempts = 5;

    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _progressInterval = TimeSpan.FromSeconds(10);

    /// <summary>Fetches and checks the list at <paramref name="list"/>.</summary>
    /// <param name="list">Address of the list.</param>
    /// <param name="sha256">The list's own digest, in hexadecimal digits.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The list as it is.</returns>
    /// <exception cref="WeightsException">The list is not available, has another digest, or another form.</exception>
    public async Task<byte[]> ListAsync(Uri list, string sha256, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await RetryAsync(list, content, MaxListSize, $"{MaxListSize} bytes and so no list of a model's files", cancellationToken);
        var bytes = content.ToArray();
        var actual = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (!actual.Equals(sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new WeightsException($"The list at {list} has the SHA-256 {actual}, and Model:Sha256 is {sha256}.");
        }

        try
        {
            ChecksumList.Parse(Encoding.UTF8.GetString(bytes));
            return bytes;
        }
        catch (FormatException e)
        {
            throw new WeightsException(
                $"Model:Source ({list}) must be the address of a list that sha256sum wrote, beside the model's files: {e.Message}.", e);
        }
    }

    /// <summary>
    /// Fetches <paramref name="file"/> to <paramref name="path"/>, which
    /// comes to be only when the file is whole and has its digest.
    /// </summary>
    /// <returns>Its length.</returns>
    /// <exception cref="WeightsException">
    /// The file is not available, has another digest, or is longer than
    /// <paramref name="room"/>, what <c>Model:MaxSize</c> leaves for it.
    /// </exception>
    public async Task<long> FetchAsync(Uri address, WeightFile file, string path, long room, CancellationToken cancellationToken)
    {
        var limit = $"the {room} bytes that Model:MaxSize ({options.Value.MaxSize}) leaves for it";
        long length;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = $"{path}.part";
        await using (var stream = new FileStream(
            part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16, useAsync: true))
        {
            var isResumed = stream.Length > 0;
            stream.Seek(0, SeekOrigin.End);
            await RetryAsync(address, stream, room, limit, cancellationToken);
            if (await DigestAsync(stream, cancellationToken) != file.Sha256 && isResumed)
            {
                // Its beginning may be of another day's file.
                StartingAgain(logger, address);
                stream.SetLength(0);
                await RetryAsync(address, stream, room, limit, cancellationToken);
            }

            var digest = await DigestAsync(stream, cancellationToken);
            if (digest != file.Sha256)
            {
                stream.SetLength(0);
                throw new WeightsException($"{address} has the SHA-256 {digest} instead of {file.Sha256}, which its list gives.");
            }

            // On the disk before it has its name: a machine that loses power has a whole file or none.
            stream.Flush(flushToDisk: true);
            length = stream.Length;
        }

        File.Move(part, path, overwrite: true);
        return length;
    }

    /// <summary>The SHA-256 of what a stream holds, in lower-case hexadecimal digits.</summary>
    public static async Task<string> DigestAsync(Stream stream, CancellationToken cancellationToken)
    {
        stream.Seek(0, SeekOrigin.Begin);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }

    /// <summary>Appends what is missing, with new attempts as long as they bring something.</summary>
    private async Task RetryAsync(Uri address, Stream target, long maxSize, string limit, CancellationToken cancellationToken)
    {
        for (var (idle, most) = (0, target.Length); ;)
        {
            try
            {
                await AppendAsync(address, target, maxSize, limit, cancellationToken);
                return;
            }
            catch (Exception e) when (ReasonToRetry(e, cancellationToken) is { } reason)
            {
                // A server that always begins at the beginning and always breaks off brings nothing.
                (idle, most) = target.Length > most ? (0, target.Length) : (idle + 1, most);
                if (idle == MaxIdleAttempts)
                {
                    throw new WeightsException(
                        $"{address} cannot be fetched after {MaxIdleAttempts} attempts without progress: {reason}", e);
                }

                BrokenOff(logger, address, target.Length, reason);
                await Task.Delay(_retryDelay, time, cancellationToken);
            }
        }
    }

    private async Task AppendAsync(Uri address, Stream target, long maxSize, string limit, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(_silence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (options.Value.Token is { Length: > 0 } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (target.Length > 0)
        {
            request.Headers.Range = new RangeHeaderValue(target.Length, null);
        }

        using var response = await http.CreateClient(HttpName).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From == target.Length:
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when response.Content.Headers.ContentRange?.Length == target.Length:
                return; // All of it was there.
            case HttpStatusCode.OK:
                target.SetLength(0);
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                target.SetLength(0);
                throw new HttpIOException(HttpRequestError.InvalidResponse, "its server sent another part than was asked for");
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                throw new HttpRequestException($"its server answers {(int)response.StatusCode}");
            default:
                throw new WeightsException(
                    $"{address} cannot be fetched: its server answers {(int)response.StatusCode} ({response.ReasonPhrase})"
                    + (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                        ? "; Model:Token can hold a bearer token."
                        : "."));
        }

        await CopyAsync(address, response, target, maxSize, limit, silence, either.Token);
    }

    private async Task CopyAsync(
        Uri address, HttpResponseMessage response, Stream target, long maxSize, string limit, CancellationTokenSource silence,
        CancellationToken cancellationToken)
    {
        var total = target.Length + response.Content.Headers.ContentLength;
        if (total > maxSize)
        {
            target.SetLength(0); // What there is of it is of no use.
            throw TooLong();
        }

        var (began, reported, start) = (time.GetTimestamp(), time.GetTimestamp(), target.Length);
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1 << 16];
        target.Seek(0, SeekOrigin.End);
        while (await content.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
#pragma warning disable RS0030 // The source has its time from the TimeProvider, and this moves its timer.
            silence.CancelAfter(_silence);
#pragma warning restore RS0030
            if (target.Length + count > maxSize)
            {
                target.SetLength(0);
                throw TooLong();
            }

            await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            if (time.GetElapsedTime(reported) >= _progressInterval)
            {
                reported = time.GetTimestamp();
                Progress(
                    logger, address, target.Length / 1e6, total / 1e6,
                    (target.Length - start) / 1e6 / time.GetElapsedTime(began).TotalSeconds);
            }
        }

        if (target.Length < total)
        {
            throw new HttpIOException(HttpRequestError.ResponseEnded, "it ended early");
        }

        WeightsException TooLong() => new($"{address} is longer than {limit}.");
    }

    /// <summary>Why an attempt broke off; null if another one would not help.</summary>
    private static string? ReasonToRetry(Exception e, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        OperationCanceledException => $"nothing came for {_silence.TotalSeconds:0} s",
        HttpRequestException or HttpIOException or IOException { InnerException: SocketException } => e.Message,
        _ => null,
    };

    [LoggerMessage(LogLevel.Information, "Fetching {Address}: {Megabytes:F1} of {Total:F1} MB, {Rate:F1} MB/s")]
    private static partial void Progress(ILogger logger, Uri address, double megabytes, double? total, double rate);

    [LoggerMessage(LogLevel.Warning, "Fetching {Address} broke off after {Bytes} bytes and continues from there: {Reason}")]
    private static partial void BrokenOff(ILogger logger, Uri address, long bytes, string reason);

    [LoggerMessage(LogLevel.Warning, "What was fetched of {Address} before does not fit; starting again")]
    private static partial void StartingAgain(ILogger logger, Uri address);
}
