namespace AgentPlatform.Tests.Worker;

public sealed class StartupTests
{
    [Theory]
    [InlineData("Engine:Type", "Engine:Type=warp-drive")]
    [InlineData("'simulated'", "Engine:Type=warp-drive")]
    [InlineData("Engine:Type", "Model:Name=m")]
    [InlineData("Model:Name", "Engine:Type=simulated")]
    [InlineData("Model:Name", "Engine:Type=simulated", "Model:Name=a/b")]
    [InlineData("OpenAI:Endpoint", "Engine:Type=openai", "Model:Name=m")]
    [InlineData("OpenAI:Endpoint", "Engine:Type=openai", "Model:Name=m", "OpenAI:Endpoint=localhost:8000")]
    [InlineData("Model:Sha256", "Engine:Type=onnx-classifier", "Model:Name=m", "Model:Source=http://weights/SHA256SUMS")]
    [InlineData(
        "Model:Sha256", "Engine:Type=onnx-classifier", "Model:Name=m", "Model:Source=http://weights/SHA256SUMS", "Model:Sha256=abc")]
    [InlineData(
        "Model:Token", "Engine:Type=onnx-classifier", "Model:Name=m", "Model:Source=http://weights/SHA256SUMS", "Model:Token=secret",
        "Model:Sha256=6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72")]
    [InlineData("Model:MaxSize", "Engine:Type=onnx-classifier", "Model:Name=m", "Model:Source=models/m", "Model:MaxSize=0")]
    [InlineData(
        "Model:Source", "Engine:Type=onnx-classifier", "Model:Name=m", "Model:Source=http://",
        "Model:Sha256=6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72")]
    [InlineData("Onnx:ExecutionProvider", "Engine:Type=onnx-chat", "Model:Name=m", "Onnx:ExecutionProvider=gpu")]
    [InlineData("Engine:Slots", "Engine:Type=simulated", "Model:Name=m", "Engine:Slots=0")]
    [InlineData("Stopping:DrainTimeout", "Engine:Type=simulated", "Model:Name=m", "Stopping:DrainTimeout=soon")]
    public async Task A_wrong_setting_ends_the_worker_with_a_sentence_that_names_it(string named, params string[] settings)
    {
        await using var worker = ServiceProcess.Worker(settings);
        var (exitCode, errors) = await worker.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains(named, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("onnx-chat")]
    [InlineData("onnx-classifier")]
    public async Task A_worker_whose_model_is_missing_ends_with_a_sentence_and_was_never_ready(string engine)
    {
        await using var worker = ServiceProcess.Worker($"Engine:Type={engine}", "Model:Name=m", "Model:Source=no-such-folder");
        var (exitCode, _) = await worker.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.Single(worker.Output, line => line.Contains("no-such-folder", StringComparison.Ordinal));
        Assert.DoesNotContain(
            worker.Output,
            line => line.Contains("The engine is ready", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worker_without_a_broker_becomes_ready_and_ends_well_when_it_is_told_to_stop()
    {
        await using var worker = ServiceProcess.Worker("Engine:Type=simulated", "Model:Name=m");
        await worker.ReadyAsync();
        worker.Terminate();
        Assert.Equal((0, ""), await worker.EndAsync());
    }
}
