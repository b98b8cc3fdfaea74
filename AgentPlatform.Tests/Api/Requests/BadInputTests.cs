using System.Net;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Tests.Api.Requests;

public sealed class BadInputTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    public static TheoryData<string, int, string?> ChatBodies => new()
    {
        { "", 400, null },
        { "{", 400, null },
        { "[]", 400, null },
        { "{} {}", 400, null },
        { "\"\\ud800\"", 400, null },
        { $$"""{"model":"tiny","x":"\ud83d",{{Messages}}}""", 400, "x" },
        { """{"model":"tiny","messages":[{"role":"user","content":"Hi"},{"role":"user","content":"""
            + """[{"type":"text","text":"\ud83d"}]}]}""", 400, "messages[1].content[0].text" },
        { new string('[', 100), 400, null },
        { $$"""{{{Messages}}}""", 400, "model" },
        { $$"""{"model":null,{{Messages}}}""", 400, "model" },
        { $$"""{"model":"",{{Messages}}}""", 400, "model" },
        { $$"""{"model":7,{{Messages}}}""", 400, "model" },
        { $$"""{"model":"none",{{Messages}}}""", 404, "model" },
        { $$"""{"model":"mood",{{Messages}}}""", 400, "model" },
        { """{"model":"tiny"}""", 400, "messages" },
        { """{"model":"tiny","messages":null}""", 400, "messages" },
        { """{"model":"tiny","messages":"Hi"}""", 400, "messages" },
        { """{"model":"tiny","messages":[]}""", 400, "messages" },
        { """{"model":"tiny","messages":["Hi"]}""", 400, "messages[0]" },
        { """{"model":"tiny","messages":[{"content":"Hi"}]}""", 400, "messages[0].role" },
        { """{"model":"tiny","messages":[{"role":7,"content":"Hi"}]}""", 400, "messages[0].role" },
        { """{"model":"tiny","messages":[{"role":"king","content":"Hi"}]}""", 400, "messages[0].role" },
        { """{"model":"tiny","messages":[{"role":"user"}]}""", 400, "messages[0].content" },
        { """{"model":"tiny","messages":[{"role":"user","content":null}]}""", 400, "messages[0].content" },
        { """{"model":"tiny","messages":[{"role":"user","content":7}]}""", 400, "messages[0].content" },
        { """{"model":"tiny","messages":[{"role":"user","content":[]}]}""", 400, "messages[0].content" },
        { """{"model":"tiny","messages":[{"role":"user","content":["Hi"]}]}""", 400, "messages[0].content[0]" },
        { """{"model":"tiny","messages":[{"role":"user","content":[{"text":"Hi"}]}]}""", 400, "messages[0].content[0].type" },
        { """{"model":"tiny","messages":[{"role":"user","content":[{"type":"text"}]}]}""", 400, "messages[0].content[0].text" },
        { """{"model":"tiny","messages":[{"role":"user","content":"Hi"},{"role":"assistant"}]}""", 400, "messages[1].content" },
        { """{"model":"tiny","messages":[{"role":"tool","content":"Hi"}]}""", 400, "messages[0].tool_call_id" },
        { $$"""{"model":"tiny","n":0,{{Messages}}}""", 400, "n" },
        { $$"""{"model":"tiny","n":129,{{Messages}}}""", 400, "n" },
        { $$"""{"model":"tiny","n":1.5,{{Messages}}}""", 400, "n" },
        { $$"""{"model":"tiny","n":"1",{{Messages}}}""", 400, "n" },
        { $$"""{"model":"tiny","max_tokens":0,{{Messages}}}""", 400, "max_tokens" },
        { $$"""{"model":"tiny","max_tokens":99999999999999999999,{{Messages}}}""", 400, "max_tokens" },
        { $$"""{"model":"tiny","max_completion_tokens":-1,{{Messages}}}""", 400, "max_completion_tokens" },
        { $$"""{"model":"tiny","temperature":2.1,{{Messages}}}""", 400, "temperature" },
        { $$"""{"model":"tiny","temperature":"hot",{{Messages}}}""", 400, "temperature" },
        { $$"""{"model":"tiny","top_p":-0.1,{{Messages}}}""", 400, "top_p" },
        { $$"""{"model":"tiny","top_logprobs":21,{{Messages}}}""", 400, "top_logprobs" },
        { $$"""{"model":"tiny","stop":7,{{Messages}}}""", 400, "stop" },
        { $$"""{"model":"tiny","stop":["a",7],{{Messages}}}""", 400, "stop[1]" },
        { $$"""{"model":"tiny","stop":["a","b","c","d","e"],{{Messages}}}""", 400, "stop" },
        { $$"""{"model":"tiny","stream":"yes",{{Messages}}}""", 400, "stream" },
        { $$"""{"model":"tiny","stream":true,"stream_options":7,{{Messages}}}""", 400, "stream_options" },
        { $$"""{"model":"tiny","stream":true,"stream_options":{"include_usage":7},{{Messages}}}""", 400, "stream_options.include_usage" },
        { $$"""{"model":"tiny","stream_options":{"include_usage":true},{{Messages}}}""", 400, "stream_options" },
        { $$"""{"model":"tiny","tools":{},{{Messages}}}""", 400, "tools" },
        { $$"""{"model":"tiny","tools":[7],{{Messages}}}""", 400, "tools[0]" },
        { $$"""{"model":"tiny","response_format":"json",{{Messages}}}""", 400, "response_format" },
    };

    [Theory]
    [MemberData(nameof(ChatBodies))]
    public async Task A_bad_chat_request_is_an_error_that_names_the_field_and_reaches_nobody(string body, int status, string? param)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync(Chat, body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(param, await ParamAsync(response));
        Assert.Empty(host.Inference.Requests);
        Assert.True(response.Headers.Contains("x-request-id"));
    }

    [Fact]
    public async Task Invalid_UTF8_reaches_nobody()
    {
        await using var host = await ApiHost.StartAsync();
        byte[] body = [.. "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xC3, 0x28, .. "\"}]}"u8];
        using var response = await host.PostAsync(Chat, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("UTF-8", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(host.Inference.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_huge_body_is_413_whether_its_length_is_told_or_not(bool chunked)
    {
        await using var host = await ApiHost.StartAsync(("Api:MaxBodySize", "2048"));
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(Chat, UriKind.Relative))
        {
            Content = new ByteArrayContent(new byte[2049]),
        };
        message.Content.Headers.ContentType = new("application/json");
        message.Headers.TransferEncodingChunked = chunked;
        using var response = await host.Client.SendAsync(message);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("request_too_large", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("GET", "/v1/models/none", 404)]
    [InlineData("GET", Chat, 405)]
    [InlineData("POST", Chat, 415)]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("POST", "/invoke", 415)]
    public async Task Errors_of_routes_have_the_shape_of_all_errors(string method, string path, int status)
    {
        await using var host = await ApiHost.StartAsync();
        using var message = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative))
        {
            Content = method == "POST" ? new StringContent("{}", Encoding.UTF8, "text/plain") : null,
        };
        using var response = await host.Client.SendAsync(message);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.True(response.Headers.Contains("x-request-id"));
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        if (path != "/invoke")
        {
            Assert.Equal(
                ["message", "type", "param", "code"],
                json.RootElement.GetProperty("error").EnumerateObject().Select(member => member.Name));
        }
        else
        {
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
            Assert.Equal(status, json.RootElement.GetProperty("status").GetInt32());
        }
    }

    [Theory]
    [InlineData("/chat/completions", "/v1/chat/completions")]
    [InlineData("//v1/chat/completions", "/v1/chat/completions")]
    [InlineData("/v1/v1/chat/completions", "/v1/chat/completions")]
    [InlineData("/openai/deployments/tiny/chat/completions?api-version=2025-01-01", "/v1/chat/completions")]
    [InlineData("/openai/v1/chat/completions", "/v1/chat/completions")]
    [InlineData("/API/Chat/Completions", "/v1/chat/completions")]
    [InlineData("/v1/responses", "/v1/chat/completions")]
    [InlineData("/openai/v1/Models", "/v1/models")]
    [InlineData("/v1/invoke", "/invoke")]
    public async Task A_wrong_base_address_is_told_the_right_path_in_OpenAIs_envelope(string path, string right)
    {
        await using var host = await ApiHost.StartAsync();
        using var message = new HttpRequestMessage(
            HttpMethod.Post, new Uri($"{host.Client.BaseAddress!.GetLeftPart(UriPartial.Authority)}{path}"))
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/json"),
        };
        using var response = await host.Client.SendAsync(message);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("false", response.Headers.GetValues("x-should-retry").Single());
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Contains($" {right}", json.RootElement.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_envelope_does_not_depend_on_the_path_s_case()
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync("/V1/Chat/Completions", """{"model":"tiny"}""");
        Assert.Equal("messages", await ParamAsync(response));
    }

    [Theory]
    [InlineData(128, HttpStatusCode.OK)]
    [InlineData(129, HttpStatusCode.BadRequest)]
    public async Task Nesting_is_good_to_128_and_then_called_so(int depth, HttpStatusCode status)
    {
        await using var host = await ApiHost.StartAsync();
        var request = $$"""{"model":"tiny","x":{{new string('[', depth - 1)}}{{new string(']', depth - 1)}},{{Messages}}}""";
        using var response = await host.PostAsync(Chat, request);
        Assert.Equal(status, response.StatusCode);
        using var batch = await host.PostAsync("/batch", $"[{request}]");
        Assert.Equal(status, batch.StatusCode);
        if (status != HttpStatusCode.OK)
        {
            Assert.Contains("nested more than 128 deep", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_a_name_that_occurs_twice_the_last_value_counts_null_too()
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync(
            Chat,
            """{"model":"tiny","stream":true,"stream_options":{"include_usage":true},"stream_options":null,"stream":null,"""
                + $$"""{{Messages}}}""");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.False(host.Inference.Requests.Single().Stream);
    }

    [Theory]
    [InlineData(""" "tool_calls":[{}],"tool_calls":[]""", false)]
    [InlineData(""" "tool_calls":[{}],"tool_calls":null""", false)]
    [InlineData(""" "function_call":{},"function_call":null""", false)]
    [InlineData(""" "refusal":"No.","refusal":null""", false)]
    [InlineData(""" "content":"Hi","content":null""", false)]
    [InlineData(""" "tool_calls":[],"tool_calls":[{}]""", true)]
    [InlineData(""" "tool_calls":[{}],"refusal":null""", true)]
    public async Task A_message_has_what_its_last_values_say(string members, bool isMessage)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync(Chat, $$"""{"model":"tiny","messages":[{"role":"assistant",{{members}}}]}""");
        Assert.Equal(isMessage ? HttpStatusCode.OK : HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(isMessage ? null : "messages[0].content", isMessage ? null : await ParamAsync(response));
    }

    [Theory]
    [InlineData(Chat, null)]
    [InlineData("/invoke", "text/plain")]
    [InlineData("/batch", null)]
    [InlineData("/analyze", "text/plain")]
    [InlineData("/analyze", "application/x-www-form-urlencoded")]
    public async Task A_body_that_does_not_say_that_it_is_JSON_is_415(string path, string? type)
    {
        await using var host = await ApiHost.StartAsync();
        using var body = new ByteArrayContent("""{"text":"Hi"}"""u8.ToArray());
        body.Headers.ContentType = type is null ? null : new(type);
        using var response = await host.Client.PostAsync(new Uri(path, UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Contains("application/json", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(host.Inference.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"text":""}""")]
    [InlineData("""{"text":"  "}""")]
    [InlineData("""{"text":7}""")]
    [InlineData("""{"text":null}""")]
    public async Task A_bad_body_of_analyze_is_400_with_its_text(string body)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync("/analyze", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("Invalid request body.", await response.Content.ReadAsStringAsync());
        Assert.Empty(host.Inference.Requests);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("NaN")]
    public async Task A_timeout_that_is_none_is_refused(string timeout)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync(
            Chat, Encoding.UTF8.GetBytes($$"""{"model":"tiny",{{Messages}}}"""), default, ("x-request-timeout", timeout));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("x-request-timeout", await ParamAsync(response));
    }

    [Fact]
    public async Task What_this_surface_does_not_know_reaches_the_engine_as_it_was_sent()
    {
        await using var host = await ApiHost.StartAsync();
        var body =
            """{ "future":{"a":[1,{"b":"ü"}]}, "model":"tiny","n":null,"messages":[{"role":"assistant","tool_calls":[{"id":"1"}]},"""
                + """{"role":"user","name":"x","content":[{"type":"odd","odd":1}]}],"stop":"x"}""";
        using var response = await host.PostAsync(Chat, body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, Encoding.UTF8.GetString(host.Inference.Requests.Single().Body.Span));
    }

    private static async Task<string?> ParamAsync(HttpResponseMessage response)
    {
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("error").GetProperty("param").GetString();
    }
}
