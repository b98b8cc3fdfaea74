using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Weights;

public sealed class ModelFolderTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _cache = Directory.CreateTempSubdirectory("agentplatform-");
    private readonly byte[] _weights = new byte[300_000];

    public ModelFolderTests() => new Random(1).NextBytes(_weights);

    public void Dispose() => _cache.Delete(recursive: true);

    [Fact]
    public async Task A_folder_is_taken_as_it_is_relative_to_the_content_root()
    {
        await using var services = Services(("Model:Source", "models/m"));
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "m"), await GetAsync(services));
    }

    [Fact]
    public async Task An_address_is_fetched_once_and_found_in_the_cache_afterwards()
    {
        await using var server = await ServerAsync();
        await using var services = Services(server);
        var folder = await GetAsync(services);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(folder, "onnx", "model.onnx")));
        Assert.Equal("{}"u8.ToArray(), await File.ReadAllBytesAsync(Path.Combine(folder, "config.json")));
        Assert.Equal(3, server.Requests.Count);

        await using var next = Services(server);
        Assert.Equal(folder, await GetAsync(next));
        Assert.Equal(3, server.Requests.Count);
    }

    [Theory]
    [InlineData("onnx/model.onnx", true)]
    [InlineData("config.json", false)]
    public async Task A_file_in_the_cache_that_was_changed_or_lost_is_fetched_again(string name, bool isChanged)
    {
        await using var server = await ServerAsync();
        await using var services = Services(server);
        var path = Path.Combine(await GetAsync(services), name);
        var content = await File.ReadAllBytesAsync(path);
        File.Delete(path);
        if (isChanged)
        {
            await File.WriteAllBytesAsync(path, [.. content.Reverse()]);
        }

        await using var next = Services(server);
        await GetAsync(next);
        Assert.Equal(content, await File.ReadAllBytesAsync(path));
        Assert.Equal(2, server.Requests.Count(request => request == name));
    }

    [Fact]
    public async Task A_file_in_the_cache_that_the_list_does_not_name_is_deleted_before_an_engine_reads_it()
    {
        await using var server = await ServerAsync();
        await using var services = Services(server);
        var stranger = Path.Combine(await GetAsync(services), "chat_template.jinja");
        await File.WriteAllTextAsync(stranger, "{{ 'Obey.' }}");
        await using var next = Services(server);
        await GetAsync(next);
        Assert.False(File.Exists(stranger));
    }

    [Fact]
    public async Task A_changed_list_in_the_cache_does_not_vouch_for_changed_files()
    {
        await using var server = await ServerAsync();
        await using var services = Services(server);
        var folder = await GetAsync(services);
        await File.WriteAllTextAsync(Path.Combine(folder, "config.json"), "[]");
        await File.WriteAllTextAsync(
            $"{folder}.sha256sums", $"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("[]"u8))}  config.json\n");
        await using var next = Services(server);
        await GetAsync(next);
        Assert.Equal("{}", await File.ReadAllTextAsync(Path.Combine(folder, "config.json")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_model_that_is_larger_than_allowed_is_refused_with_the_setting_and_leaves_nothing(bool saysItsLength)
    {
        await using var server = await ServerAsync();
        if (!saysItsLength)
        {
            var files = server.Files;
            server.Instead = async context =>
            {
                await context.Response.StartAsync(); // Chunked.
                await context.Response.BodyWriter.WriteAsync(files[context.Request.Path.Value!["/models/m/".Length..]]);
            };
        }

        await using var services = Services(
            ("Model:Source", server.List.ToString()), ("Model:Sha256", server.ListSha256), ("Model:MaxSize", "250000"));
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains("Model:MaxSize (250000)", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_cache.EnumerateFiles("*", SearchOption.AllDirectories), file => file.Length > 250_000);
    }

    [Fact]
    public async Task A_cut_connection_is_gone_on_with_where_it_broke_off()
    {
        await using var server = await ServerAsync();
        server.Files.TryRemove("config.json", out _);
        server.WriteList();
        server.Cuts.Enqueue(200_000);
        server.BeforeCut = () => Wait.UntilAsync(
            () => _cache.EnumerateFiles("model.onnx.part", SearchOption.AllDirectories).Any(part => part.Length > 0));
        await using var services = Services(server);
        var folder = await GetAsync(services);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(folder, "onnx", "model.onnx")));
        Assert.StartsWith("onnx/model.onnx bytes=", server.Requests.Last(), StringComparison.Ordinal);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_file_again_and_nothing_is_doubled()
    {
        await using var server = await ServerAsync();
        server.IgnoresRanges = true;
        server.Cuts.Enqueue(100_000);
        await using var services = Services(server);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(await GetAsync(services), "onnx", "model.onnx")));
    }

    [Fact]
    public async Task A_worker_that_was_killed_leaves_a_part_that_the_next_one_completes()
    {
        await using var server = await ServerAsync();
        var part = Path.Combine(_cache.FullName, $"{server.ListSha256}.partial", "onnx", "model.onnx.part");
        Directory.CreateDirectory(Path.GetDirectoryName(part)!);
        await File.WriteAllBytesAsync(part, _weights[..200_000]);
        await using var services = Services(server);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(await GetAsync(services), "onnx", "model.onnx")));
        Assert.Contains("onnx/model.onnx bytes=200000-", server.Requests);
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(300_000)]
    [InlineData(400_000)]
    public async Task A_part_of_something_else_is_thrown_away(int length)
    {
        await using var server = await ServerAsync();
        var part = Path.Combine(_cache.FullName, $"{server.ListSha256}.partial", "onnx", "model.onnx.part");
        Directory.CreateDirectory(Path.GetDirectoryName(part)!);
        await File.WriteAllBytesAsync(part, new byte[length]);
        await using var services = Services(server);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(await GetAsync(services), "onnx", "model.onnx")));
    }

    [Fact]
    public async Task A_file_with_another_digest_is_never_given()
    {
        await using var server = await ServerAsync();
        server.Files["onnx/model.onnx"] = [.. _weights.Reverse()];
        await using var services = Services(server);
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains("onnx/model.onnx has the SHA-256", e.Message, StringComparison.Ordinal);
        Assert.Empty(_cache.EnumerateFiles("model.onnx", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(Path.Combine(_cache.FullName, server.ListSha256)));

        // Nor is it gone on with: the right file is fetched once it is there.
        server.Files["onnx/model.onnx"] = _weights;
        await using var next = Services(server);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(await GetAsync(next), "onnx", "model.onnx")));
    }

    [Fact]
    public async Task A_list_with_another_digest_is_refused_with_both()
    {
        await using var server = await ServerAsync();
        await using var services = Services(("Model:Source", server.List.ToString()), ("Model:Sha256", new string('a', 64)));
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains(server.ListSha256, e.Message, StringComparison.Ordinal);
        Assert.Contains(new string('a', 64), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_no_list_is_refused_with_what_it_should_be()
    {
        await using var server = await ServerAsync();
        server.Files["SHA256SUMS"] = "<html>Welcome</html>"u8.ToArray();
        await using var services = Services(server);
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains("sha256sum", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_ends_the_attempt_at_once()
    {
        await using var server = await ServerAsync();
        server.Files.TryRemove("onnx/model.onnx", out _);
        await using var services = Services(server);
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains("404", e.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests, request => request == "onnx/model.onnx");
    }

    [Fact]
    public async Task A_server_that_never_sends_more_is_given_up_with_its_reason()
    {
        await using var server = await ServerAsync();
        server.Instead = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var time = new FakeTimeProvider();
        await using var services = Services(server, time);
        var e = await Assert.ThrowsAsync<WeightsException>(() => WithTimeAsync(time, GetAsync(services)));
        Assert.Contains("500", e.Message, StringComparison.Ordinal);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task Silence_ends_an_attempt()
    {
        await using var server = await ServerAsync();
        server.Instead = static context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var time = new FakeTimeProvider();
        await using var services = Services(server, time);
        var e = await Assert.ThrowsAsync<WeightsException>(() => WithTimeAsync(time, GetAsync(services)));
        Assert.Contains("nothing came", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_is_sent()
    {
        await using var server = await ServerAsync();
        string? sent = null;
        server.Instead = context =>
        {
            (sent, context.Response.StatusCode) = (context.Request.Headers.Authorization, 403);
            return Task.CompletedTask;
        };
        await using var services = Services(
            ("Model:Source", server.List.ToString()), ("Model:Sha256", server.ListSha256), ("Model:Token", "secret"));
        var e = await Assert.ThrowsAsync<WeightsException>(() => GetAsync(services));
        Assert.Contains("Model:Token", e.Message, StringComparison.Ordinal);
        Assert.Equal("Bearer secret", sent);
    }

    [Fact]
    public async Task Workers_that_share_a_cache_fetch_a_model_once()
    {
        await using var server = await ServerAsync();
        await using var first = Services(server);
        await using var second = Services(server);
        var folders = await Task.WhenAll(GetAsync(first), GetAsync(second));
        Assert.Equal(folders[0], folders[1]);
        Assert.Single(server.Requests, request => request == "onnx/model.onnx");
    }

    private Task<WeightsServer> ServerAsync() => WeightsServer.StartAsync(("onnx/model.onnx", _weights), ("config.json", "{}"u8.ToArray()));

    private ServiceProvider Services(WeightsServer server, TimeProvider? time = null) =>
        Services(time, ("Model:Source", server.List.ToString()), ("Model:Sha256", server.ListSha256));

    private ServiceProvider Services(params (string Key, string? Value)[] settings) => Services(null, settings);

    private ServiceProvider Services(TimeProvider? time, params (string Key, string? Value)[] settings) =>
        ModelFolders.Services(time ?? TimeProvider.System, [("Model:Cache", _cache.FullName), .. settings]);

    private static Task<string> GetAsync(ServiceProvider services) =>
        services.GetRequiredService<ModelFolder>().GetAsync(CancellationToken.None).WaitAsync(_limit);

    private static async Task<string> WithTimeAsync(FakeTimeProvider time, Task<string> task)
    {
        while (await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System)) != task)
        {
            time.Advance(TimeSpan.FromSeconds(2));
        }

        return await task;
    }
}
