namespace AgentPlatform.Tests.Api.Catalogue;

public sealed class ModelVersionTests
{
    private const string Message = """
        "messages":[{"role":"user","content":"Hi"}]
        """;

    [Theory]
    [InlineData("/v1/chat/completions", $$"""{"model":"tiny",{{Message}}}""")]
    [InlineData("/v1/chat/completions", $$"""{"model":"tiny","stream":true,{{Message}}}""")]
    [InlineData("/invoke", $$"""{ {{Message}} }""")]
    [InlineData("/analyze", """{"text":"Fine."}""")]
    public async Task A_response_names_the_version_that_answers(string path, string body)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Version = "7";
        host.Inference.Answer = (request, _) => FakeInference.Parts(
            request.Stream ? FakeInference.End() : FakeInference.Result("""{"choices":[]}"""));

        using var response = await host.PostAsync(path, body);

        Assert.Equal("7", response.Headers.GetValues("x-model-version").Single());
        Assert.Equal("7", host.Inference.Requests.Single().Version);
    }

    [Fact]
    public async Task A_model_without_versions_names_none()
    {
        await using var host = await ApiHost.StartAsync();

        using var response = await host.PostAsync("/invoke", $$"""{ {{Message}} }""");

        Assert.False(response.Headers.Contains("x-model-version"));
    }
}
