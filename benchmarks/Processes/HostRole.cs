using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using AgentPlatform.Benchmarks.Peers;

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>The measured process's side: runs the gateway or the worker as it is, or a peer, and answers what it has done.</summary>
internal static class HostRole
{
    private static long _messagesSent;

    public static async Task<int> RunAsync(string role, string[] args)
    {
        using var listener = ListenForMessages();
        Func<string[], Task> run = role switch
        {
            "gateway" or "worker" => arguments => RunProgramAsync(role, arguments),
            "upstream" => Upstream.RunAsync,
            "yarp" => YarpProxy.RunAsync,
            _ => throw new ArgumentException($"There is no role '{role}'."),
        };
        var running = run(args);
        await Task.WhenAny(running, AnswerAsync());
        return 0;
    }

    private static async Task RunProgramAsync(string role, string[] args)
    {
        // The program's own entry point, so that what is measured is what is shipped.
        var program = Assembly.Load(role == "gateway" ? "AgentPlatform.Gateway" : "AgentPlatform.Worker");
        await Task.Yield();
        program.EntryPoint!.Invoke(null, [args]);
    }

    private static async Task AnswerAsync()
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        while (await input.ReadLineAsync() is { } line)
        {
            if (line == "count")
            {
                using var self = Process.GetCurrentProcess();
                var counts = new ProcessCounts(GC.GetTotalAllocatedBytes(precise: true), Interlocked.Read(ref _messagesSent), self.TotalProcessorTime.TotalSeconds);
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(counts));
            }
        }
    }

    private static MeterListener ListenForMessages()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "messaging.client.sent.messages")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref _messagesSent, measurement));
        listener.Start();
        return listener;
    }
}
