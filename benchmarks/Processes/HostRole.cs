using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using AgentPlatform.Benchmarks.Peers;

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>The measured process's side: runs the gateway or the worker as it is, or a peer, and answers what it has done.</summary>
internal static class HostRole
{
    /// <summary>What its answers on standard output begin with.</summary>
    public const string AnswerMark = "answer: ";

    private static long _messagesSent;
    private static long _activeSlots;

    public static async Task<int> RunAsync(string role, string[] args)
    {
        using var listener = Listen();
        Func<string[], Task<int>> run = role switch
        {
            "gateway" or "worker" => arguments => RunProgramAsync(role, arguments),
            "upstream" => arguments => ExitCodeOfAsync(Upstream.RunAsync(arguments)),
            "yarp" => arguments => ExitCodeOfAsync(YarpProxy.RunAsync(arguments)),
            _ => throw new ArgumentException($"There is no role '{role}'."),
        };
        var running = run(args);
        return await Task.WhenAny(running, AnswerAsync()) == running ? await running : 0;
    }

    private static async Task<int> RunProgramAsync(string role, string[] args)
    {
        // The program's own entry point, so that what is measured is what is shipped.
        var program = Assembly.Load(role == "gateway" ? "AgentPlatform.Gateway" : "AgentPlatform.Worker");
        await Task.Yield();
        return program.EntryPoint!.Invoke(null, [args]) is int exitCode ? exitCode : 0;
    }

    private static async Task<int> ExitCodeOfAsync(Task server)
    {
        await server;
        return 0;
    }

    private static async Task AnswerAsync()
    {
        using var ends = new RequestEnds();
        using var input = new StreamReader(Console.OpenStandardInput());
        while (await input.ReadLineAsync() is { } question)
        {
            switch (question)
            {
                case "settle":
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    await WriteAsync(Count());
                    break;
                case "count":
                    await WriteAsync(Count());
                    break;
                case RequestEnds.Question:
                    await WriteAsync(ends.Take());
                    break;
                case var set when set.StartsWith(WrongClock.Question, StringComparison.Ordinal):
                    var ahead = long.Parse(set.AsSpan(WrongClock.Question.Length), CultureInfo.InvariantCulture);
                    WrongClock.Instance.Set(ahead);
                    await WriteAsync(ahead);
                    break;
                default:
                    break; // Of another version of this program.
            }
        }
    }

    private static ProcessCounts Count()
    {
        using var self = Process.GetCurrentProcess();
        return new ProcessCounts(
            GC.GetTotalAllocatedBytes(precise: true), Interlocked.Read(ref _messagesSent), self.TotalProcessorTime.TotalSeconds,
            Interlocked.Read(ref _activeSlots), GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet);
    }

    private static Task WriteAsync<T>(T answer) => Console.Out.WriteLineAsync(AnswerMark + JsonSerializer.Serialize(answer));

    private static MeterListener Listen()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name is "messaging.client.sent.messages" or "agentplatform.engine.slots.active")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref _messagesSent, measurement));
        listener.SetMeasurementEventCallback<int>((_, measurement, _, _) => Interlocked.Add(ref _activeSlots, measurement));
        listener.Start();
        return listener;
    }
}
