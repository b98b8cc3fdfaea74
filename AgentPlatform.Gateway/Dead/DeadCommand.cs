using System.CommandLine;
using AgentPlatform.Api.Startup;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Gateway.Dead;

/// <summary>
/// The gateway's program as a tool for operators: looks at the jobs that could not be done and settles them. It has the gateway's
/// configuration, so that it runs wherever the gateway does: <c>kubectl exec deploy/gateway-deployment -- dotnet AgentPlatform.Gateway.dll
/// dead list</c>.
/// </summary>
internal sealed class DeadCommand(TextWriter output, TextWriter errors, IReadOnlyDictionary<string, string?>? settings = null)
{
    private const int Failed = 1;

    /// <summary>Runs one command.</summary>
    /// <param name="args">The program's arguments, of which the first is <c>dead</c>.</param>
    /// <returns>The exit code: 0 if it was done.</returns>
    public static Task<int> RunAsync(string[] args) =>
        new DeadCommand(Console.Out, Console.Error).InvokeAsync(args, CancellationToken.None);

    /// <inheritdoc cref="RunAsync"/>
    public Task<int> InvokeAsync(string[] args, CancellationToken cancellationToken) =>
        new RootCommand("The platform's gateway.") { Define() }
        .Parse(args)
        .InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, EnableDefaultExceptionHandler = false },
            cancellationToken);

    private Command Define()
    {
        var ids = new Argument<string[]>("id") { Description = "As 'list' shows it.", Arity = ArgumentArity.OneOrMore };
        var timeout =
            new Option<int>("--timeout") { Description = "Seconds that the job may take.", DefaultValueFactory = static _ => 300 };
        timeout.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 25 * 60)
            {
                result.AddError("--timeout must be between 1 and 1500 seconds.");
            }
        });
        var version =
            new Option<string>(
                "--model-version") { Description = "The version of the model that is to do it, if not the one that failed." };

        var list = new Command("list", "Lists the jobs that could not be done.");
        var show = new Command("show", "Shows a job with its attempts and its body, which is what the client sent.") { ids };
        var requeue = new Command("requeue",
            "Has a job done again, prints the answer, and removes the job if it succeeded.") { ids, timeout, version };
        var drop = new Command("drop", "Removes a job for good.") { ids };
        list.SetAction((_, token) => WithHostAsync((host, stop) => List(host).ListAsync(stop), token));
        show.SetAction((result, token) => WithHostAsync((host, stop) => List(host).ShowAsync(result.GetRequiredValue(ids), stop), token));
        drop.SetAction((result, token) => WithHostAsync((host, stop) => List(host).DropAsync(result.GetRequiredValue(ids), stop), token));
        requeue.SetAction((result, token) => WithHostAsync(
            (host, stop) => new DeadRun(host, output, errors).RunAsync(
                result.GetRequiredValue(ids), result.GetValue(version), TimeSpan.FromSeconds(result.GetRequiredValue(timeout)), stop),
            token));
        return new Command("dead",
            "Jobs that could not be done, in the queue infer.dead of the broker that ConnectionStrings:messaging names.") { list, show,
                requeue, drop };
    }

    private DeadList List(IHost host) => new(host, output, errors);

    private async Task<int> WithHostAsync(Func<IHost, CancellationToken, Task<bool>> work, CancellationToken cancellationToken)
    {
        try
        {
            using var host = DeadHost.Build(settings);
            return await work(host, cancellationToken) ? 0 : Failed;
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            await errors.WriteLineAsync(sentence);
            return Failed;
        }
    }

    private static string? Explain(Exception e) => e switch
    {
        OperationCanceledException => "Stopped; the jobs are where they were.",
        BrokerException or TimeoutException => e.Message,
        _ => StartupMistake.Explain(e),
    };
}
