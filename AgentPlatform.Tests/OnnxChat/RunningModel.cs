using AgentPlatform.OnnxChat.Model;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.Testing.OnnxChat;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Tests.OnnxChat;

/// <summary>A model of random weights in a loop that runs.</summary>
internal sealed class RunningModel : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly RandomChatModel _files;

    public RunningModel(RandomChatModel? files = null, int rows = 16, int? threads = null)
    {
        _files = files ?? new RandomChatModel();
        Model = ChatModel.Load(_files.Folder, path => Graphs.Open(path, threads));
        Loop = new ChatLoop(Model.Decoder, rows, static _ => { }, NullLogger.Instance);
    }

    public ChatModel Model { get; }

    public ChatLoop Loop { get; }

    public RandomChatModel Files => _files;

    /// <summary>Begins an answer that no mark of the model ends.</summary>
    public ChatAnswer Start(IReadOnlyList<int> prompt, ChatSettings settings, IReadOnlyList<IReadOnlyList<int>>? begun = null)
    {
        var answer = new ChatAnswer(prompt, settings, Model.Tokenizer, begun);
        Loop.Submit(answer);
        return answer;
    }

    /// <summary>Tokens of the first choice of an answer when it is complete.</summary>
    public static async Task<int[]> TokensAsync(ChatAnswer answer)
    {
        await ReadAsync(answer);
        return [.. answer.Sequences[0].Tokens];
    }

    public static async Task<List<ChatPiece>> ReadAsync(ChatAnswer answer)
    {
        using var limit = new CancellationTokenSource(_limit, TimeProvider.System);
        List<ChatPiece> pieces = [];
        await foreach (var piece in answer.Pieces.ReadAllAsync(limit.Token))
        {
            pieces.Add(piece);
        }

        return pieces;
    }

    /// <summary>Some tokens that are no marks; the same for the same seed.</summary>
    public static int[] Prompt(int seed, int length) =>
        [.. Enumerable.Range(0, length).Select(index => (int)((uint)((seed * 7919) + (index * 104_729)) % 256))];

    public void Dispose()
    {
        Loop.Dispose();
        _files.Dispose();
    }
}
