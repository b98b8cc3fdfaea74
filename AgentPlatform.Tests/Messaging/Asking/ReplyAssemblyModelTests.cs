using System.Runtime.InteropServices;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Wire;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking;

/// <summary>
/// A request, its queue and its workers as a model: workers take messages, ask, send, die, vanish, freeze and come back late; frames are
/// lost, doubled and overtaken; a run of random events decides what happens next. No two workers make the same part, and each part is made
/// to follow certain others: whatever happens, the client gets only parts that follow just those that it has, and once the disturbances
/// end it gets all.
/// </summary>
public sealed class ReplyAssemblyModelTests
{
    private const int Length = 20;

    [Property(MaxTest = 2000, EndSize = 400)]
    public bool Any_order_of_events_gives_parts_that_belong_together_and_in_the_end_all_of_them(byte[] events)
    {
        var run = new Run();
        foreach (var happening in events)
        {
            run.Happen(happening % 16, happening / 16);
            if (run.IsTorn)
            {
                return false;
            }
        }

        run.Calm();
        return run is { IsComplete: true, IsTorn: false };
    }

    /// <summary>A message of the request in the queue, or at the worker that holds it unacknowledged.</summary>
    private sealed record Message(ushort Issue, bool Redelivered);

    private sealed class Worker(Message message)
    {
        public Message Message => message;

        public ushort? Attempt { get; set; }

        /// <summary>The parts that it was told of and those that it made.</summary>
        public List<int> Answer { get; } = [];

        public Guid Claim { get; } = Guid.NewGuid();

        public bool IsFrozen { get; set; }
    }

    private sealed class Run
    {
        private readonly FakeTimeProvider _time = new();
        private readonly AskingOptions _options = new() { DeliveryLimit = 100 };
        private readonly ReplyAssembly _assembly;
        private readonly List<Message> _queue = [new(0, false)];
        private readonly List<Worker> _workers = [];
        private readonly List<Frame> _onTheWay = [];
        private readonly IAsyncEnumerator<ReplyPart> _reader;
        private readonly List<int> _received = [];

        // What each part that was ever made follows, by the part's number.
        private readonly List<int[]> _made = [];
        private Task<bool>? _pending;

        public Run()
        {
            _assembly = new ReplyAssembly(Tests.Worker.Requests.Create(stream: true), "infer.m.1.default", "1", _options, _time);
            _reader = _assembly.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        }

        public bool IsComplete { get; private set; }

        /// <summary>Whether the client got something that does not follow what it has.</summary>
        public bool IsTorn { get; private set; }

        public void Happen(int what, int which)
        {
            var worker = _workers.Count > 0 ? _workers[which % _workers.Count] : null;
            switch (what)
            {
                case 0 or 1 when _queue.Count > 0:
                    Take();
                    break;
                case 2 or 3 or 4 or 5 or 6 when worker is { IsFrozen: false }:
                    Work(worker);
                    break;
                case 7 or 8 or 9 when _onTheWay.Count > 0:
                    Arrive(0);
                    break;
                case 10 when _onTheWay.Count > 0:
                    Arrive(which % _onTheWay.Count); // Overtakes those before it.
                    break;
                case 11 when _onTheWay.Count > 0:
                    _onTheWay.RemoveAt(which % _onTheWay.Count); // Lost.
                    break;
                case 12 when _onTheWay.Count > 0:
                    _onTheWay.Add(_onTheWay[which % _onTheWay.Count]); // Doubled.
                    break;
                case 13 when worker is not null && which < 12:
                    Die(worker);
                    break;
                case 13 when worker is not null:
                    _workers.Remove(worker); // Neither it nor its message is seen again, and the broker does not know.
                    break;
                case 14 when worker is not null:
                    worker.IsFrozen = !worker.IsFrozen;
                    break;
                case 15:
                    _time.Advance(TimeSpan.FromMilliseconds(100 * (which + 1)));
                    Look();
                    break;
                default:
                    break;
            }

            Read();
        }

        /// <summary>From now on nothing is disturbed: what is there is worked off.</summary>
        public void Calm()
        {
            _workers.ForEach(worker => worker.IsFrozen = false);
            for (var round = 0; round < 300 && !IsComplete; round++)
            {
                while (_queue.Count > 0)
                {
                    Take();
                }

                foreach (var worker in _workers.ToList())
                {
                    Work(worker);
                }

                while (_onTheWay.Count > 0)
                {
                    Arrive(0);
                }

                _time.Advance(TimeSpan.FromMilliseconds(100));
                Look();
                Read();
            }

            // The reader is woken on another thread.
            SpinWait.SpinUntil(
                () =>
                {
                    Read();
                    return IsComplete;
                },
                TimeSpan.FromSeconds(10));
        }

        private void Take()
        {
            var message = _queue[0];
            _queue.RemoveAt(0);
            _workers.Add(new Worker(message) { Attempt = message is { Issue: 0, Redelivered: false } ? 0 : null });
        }

        private void Work(Worker worker)
        {
            var id = _assembly.Request.RequestId;
            if (worker.Attempt is not { } attempt)
            {
                var grant = _assembly.Claim(new ClaimNote("w", worker.Claim, worker.Message.Issue), 0);
                if (grant?.Attempt is { } granted)
                {
                    worker.Attempt = granted;
                    worker.Answer.AddRange(MemoryMarshal.Cast<byte, int>(grant.ResumeState));
                    Assert.Equal((int)grant.Parts, worker.Answer.Count);
                    _onTheWay.Add(new Frame(id, granted, grant.Parts, FrameKind.Started, new StartedNote("w").ToUtf8()));
                }
                else if (grant is not null)
                {
                    _workers.Remove(worker); // Told to drop the job, it acknowledges it.
                }

                return;
            }

            var number = _made.Count;
            var part = BitConverter.GetBytes(number);
            var isEnd = worker.Answer.Count == Length;
            _made.Add([.. worker.Answer]);
            _onTheWay.Add(new Frame(id, attempt, (uint)worker.Answer.Count, isEnd ? FrameKind.End : FrameKind.Delta, part, part));
            worker.Answer.Add(number);
            if (isEnd)
            {
                _workers.Remove(worker); // Its last part is with the broker: acknowledged.
            }
        }

        // A cancel follows a late frame, and the worker acknowledges its job: nobody else is given it.
        private void Arrive(int index)
        {
            var frame = _onTheWay[index];
            _onTheWay.RemoveAt(index);
            if (!_assembly.Accept(frame))
            {
                _workers.RemoveAll(worker => worker.Attempt <= frame.Attempt);
            }
        }

        private void Die(Worker worker)
        {
            _workers.Remove(worker);
            _queue.Insert(0, worker.Message with { Redelivered = true });
        }

        private void Look()
        {
            if (_assembly.Check(0, isFirstGone: !_queue.Exists(message => message.Issue == 0), out var issue) == RequestNeed.Reissue)
            {
                _queue.Add(new Message(issue, false));
                _queue.Add(new Message((ushort)(issue + 1), false));
            }
        }

        private void Read()
        {
            while (!IsComplete)
            {
                _pending ??= _reader.MoveNextAsync().AsTask();
                if (!_pending.IsCompleted)
                {
                    return;
                }

                IsComplete = !_pending.Result;
                _pending = null;
                if (!IsComplete)
                {
                    var number = BitConverter.ToInt32(_reader.Current.Payload.Span);
                    IsTorn |= !_made[number].SequenceEqual(_received);
                    _received.Add(number);
                }
                else
                {
                    IsTorn |= _received.Count != Length + 1; // With the end.
                }
            }
        }
    }
}
