using AgentPlatform.Api.Startup;
using AgentPlatform.Client.Models;
using AgentPlatform.Gateway.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Gateway.Models;

public sealed class ModelsOptionsTests
{
    public static TheoryData<string, string> Mistakes => new()
    {
        { "", "Models:0:Name" },
        { "Models:0:Name=", "Models:0:Name is missing" },
        { "Models:0:Name=a b", "Models:0:Name 'a b'" },
        { "Models:0:Name=a;Models:0:Version=b.c;Models:1:Name=a.b;Models:1:Version=c", "Models:1:Version would make the queue" },
        { "Models:0:Name=a;Models:0:Version=1 2", "Models:0:Version '1 2'" },
        { "Models:0:Name=a;Models:1:Name=a", "Models:1:Name 'a' is taken by Models:0" },
        { "Models:0:Name=a;Models:0:Transport=pigeon", "Models:0:Transport" },
        { "Models:0:Name=a;Models:0:Transport=9", "Models:0:Transport" },
        { "Models:0:Name=a;Models:0:Transport=http", "Models:0:Endpoint" },
        { "Models:0:Name=a;Models:0:Transport=openai;Models:0:Endpoint=ftp://x", "Models:0:Endpoint" },
        { "Models:0:Name=a;Models:0:Transport=openai;Models:0:Endpoint=http://x;Models:0:Operations:0=Analyze", "Models:0:Operations" },
        { "Models:0:Name=a;Models:0:Operations:0=Sing", "Models:0:Operations:0" },
        { "Models:0:Name=a;Models:0:BatchWindow=00:00:01", "Models:0:BatchWindow" },
        { "Models:0:Name=a;Models:0:MaxBatchSize=0", "Models:0:MaxBatchSize" },
        { "Models:0:Name=a;Models:0:Endpont=http://x", "Endpont" },
        { "Models:0:Name=a;ConnectionStrings:messaging=", "ConnectionStrings:messaging is missing" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_sentence_that_names_the_key(string settings, string says)
    {
        var mistake = Assert.ThrowsAny<Exception>(() => Read(settings));
        var sentence = StartupMistake.Explain(mistake);
        Assert.NotNull(sentence);
        Assert.Contains(says, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.NewLine, sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_needs_no_more_than_its_name()
    {
        var model = Assert.Single(Read("Models:0:Name=a").Models);
        Assert.Equal((Transport.Queue, "1", TimeSpan.Zero), (model.Transport, model.Version, model.BatchWindow));
    }

    private static ModelsOptions Read(string settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(("ConnectionStrings:messaging=amqp://x;" + settings)
            .Split(';', StringSplitOptions.RemoveEmptyEntries).Select(setting => setting.Split('='))
                .Select(pair => new KeyValuePair<string, string?>(pair[0], pair[1]))
            .GroupBy(pair => pair.Key).Select(same => same.Last())).Build();
        var options = new ModelsOptions();
        ModelsOptions.Read(options, configuration);
        var result = new ModelsOptionsValidator(configuration).Validate(null, options);
        return result.Succeeded ? options : throw new OptionsValidationException("", typeof(ModelsOptions), result.Failures);
    }
}
