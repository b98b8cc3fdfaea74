using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Tests.Conformance;

/// <summary>llama.cpp's server with the repository's tiny-chat; the program is the one that eng/install-llama-server.sh gets.</summary>
internal sealed class LlamaServer : IAsyncDisposable
{
    /// <summary>Tokens that one request may take.</summary>
    public const int ContextSize = 512;

    private const int Slots = 4;

    private readonly Process _process;
    private readonly string? _copy;
    private readonly ConcurrentQueue<string> _output = new();

    private LlamaServer(Process process, int port, string? copy)
    {
        (_process, Address, _copy) = (process, new Uri($"http://127.0.0.1:{port}"), copy);
        process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; }

    /// <param name="singlePrecision">Whether matrices are stored, and so multiplied, in single precision, as ONNX Runtime does it; from a
    /// file in half precision llama.cpp rounds the other factor to half too.</param>
    public static async Task<LlamaServer> StartAsync(bool singlePrecision = false)
    {
        var program = await RunAsync(Path.Combine(Repository.Root, "eng", "install-llama-server.sh"));
        var model = Path.Combine(TinyChat.Folder, "tiny-chat.gguf");
        string? copy = null;
        if (singlePrecision)
        {
            copy = Path.GetTempFileName();
            await RunAsync(Path.Combine(Path.GetDirectoryName(program)!, "llama-quantize"), model, copy, "F32");
        }

        // One thread: the model is so small that more of them only wait for each other.
        var port = RabbitMQNode.FreePort();
        var server = new LlamaServer(Process.Start(TiedProcess.StartInfo(program,
            "--model", copy ?? model, "--host", "127.0.0.1", "--port", $"{port}", "--parallel", $"{Slots}", "--ctx-size",
            $"{Slots * ContextSize}",
            "--threads", "1", "--threads-batch", "1", "--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off", "--no-ui",
            "--offline", "--jinja"))!, port, copy);
        try
        {
            await server.ReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (_copy is not null)
        {
            File.Delete(_copy);
        }
    }

    private async Task ReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Address };
        await Wait.UntilAsync(async () =>
        {
            Assert.False(_process.HasExited, $"llama-server ended: {string.Join('\n', _output.TakeLast(20))}");
            try
            {
                using var response = await http.GetAsync(new Uri("/health", UriKind.Relative));
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }

    /// <summary>Runs a program to its end; what it wrote.</summary>
    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await TiedProcess.RunAsync(TimeSpan.FromMinutes(5), program, arguments)).Checked().Trim();
}
