using AgentPlatform.Messaging.Admission;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Admission;

public sealed class QueueLoadTests
{
    private static readonly TimeSpan _forEver = TimeSpan.FromDays(1);

    [Fact]
    public void Nothing_is_known_of_a_pool_that_has_started_nothing()
    {
        var load = new QueueLoad(new FakeTimeProvider());
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(load.TryEnter(TimeSpan.FromMilliseconds(1), out _, out var wait));
            Assert.Null(wait);
        }

        Assert.Equal((10_000, 2), (load.Waiting, load.RetryAfterSeconds));
    }

    [Theory]
    [InlineData(1, 0.02, 0)]
    [InlineData(4, 2, 0.5)]
    [InlineData(32, 1, 0)]
    [InlineData(64, 8, 1)]
    [InlineData(1, 10, 0.5)]
    public void Requests_wait_about_as_long_as_was_expected(int slots, double serviceTime, double spread)
    {
        var random = new Random(7);
        var capacity = slots / serviceTime;
        var pool = new PoolModel(slots, () => serviceTime * (1 + (spread * ((2 * random.NextDouble()) - 1))));
        var learnt = 40 * Math.Max(1, 1 / capacity) * Math.Max(1, serviceTime);
        pool.Offer(random, 1.3 * capacity, 4 * learnt, patience: 1e9);
        pool.RunUntil(8 * learnt);

        var judged = pool.Waits.Where(wait => wait.At > learnt && wait.Actual > 4 * Math.Max(serviceTime, 1 / capacity)).ToList();
        Assert.InRange(judged.Count, 20, int.MaxValue);
        var right = judged.Count(wait => wait.Expected > wait.Actual / 1.5 && wait.Expected < wait.Actual * 1.5);
        Assert.True(right >= 0.95 * judged.Count, $"Only {right} of {judged.Count} waited for about as long as was expected.");
    }

    [Fact]
    public void Under_ten_times_the_load_nearly_all_work_is_in_time_and_without_refusals_nearly_none()
    {
        const double Capacity = 32 / 2.0;
        var (refusing, accepting) = (Run(refuses: true), Run(refuses: false));
        Assert.InRange(refusing.Completed, 0.95 * 290 * Capacity, int.MaxValue);
        Assert.InRange(accepting.Completed, 0, 0.6 * 290 * Capacity);
        Assert.InRange(refusing.Expired, 0, 0.05 * refusing.Completed);

        static PoolModel Run(bool refuses)
        {
            var random = new Random(11);
            var pool = new PoolModel(32, () => 1 + (2 * random.NextDouble())) { Refuses = refuses };
            pool.Offer(random, 10 * Capacity, until: 300, patience: 10);
            pool.RunUntil(310);
            return pool;
        }
    }

    [Fact]
    public void A_burst_after_a_quiet_time_is_let_in()
    {
        var pool = new PoolModel(16, static () => 0.5);
        pool.Offer(new Random(3), rate: 0.5, until: 300, patience: 60);
        pool.RunUntil(300);
        Assert.Null(pool.Load.ExpectedWait);
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(pool.Arrive(patience: 60));
        }
    }

    [Fact]
    public void A_busy_time_long_ago_says_nothing_of_the_pool()
    {
        var pool = new PoolModel(1, static () => 0.5);
        pool.Offer(new Random(3), rate: 4, until: 30, patience: 1e9);
        pool.RunUntil(30);
        Assert.NotNull(pool.Load.ExpectedWait);

        pool.RunUntil(200);
        Assert.Equal(0, pool.Load.Waiting);
        Assert.Null(pool.Load.ExpectedWait);
    }

    [Theory]
    [InlineData(-12)]
    [InlineData(48)]
    public void The_estimate_follows_a_pool_that_shrinks_or_grows(int change)
    {
        var pool = new PoolModel(16, static () => 0.5);
        pool.Offer(new Random(5), rate: 64, until: 60, patience: 1e9);
        pool.RunUntil(30);
        pool.Resize(change);
        pool.RunUntil(45);
        var expected = pool.Load.Waiting / ((16 + change) / 0.5);
        Assert.InRange(pool.Load.ExpectedWait!.Value.TotalSeconds, 0.7 * expected, 1.4 * expected);
    }

    [Fact]
    public void A_pool_that_stops_makes_waits_longer_until_nothing_is_known_of_it()
    {
        var pool = new PoolModel(16, static () => 0.5);
        pool.Offer(new Random(5), rate: 64, until: 30, patience: 1e9);
        pool.RunUntil(30);
        var before = pool.Load.ExpectedWait!.Value;
        pool.Resize(-16);
        pool.RunUntil(39);
        Assert.InRange(pool.Load.ExpectedWait!.Value, 1.5 * before, 10 * before);
        pool.RunUntil(45);
        Assert.Null(pool.Load.ExpectedWait);

        pool.Resize(16);
        pool.RunUntil(46);
        Assert.InRange(pool.Load.ExpectedWait!.Value.TotalSeconds, 0.5 * pool.Load.Waiting / 32, 2.0 * pool.Load.Waiting / 32);
    }

    [Theory]
    [InlineData(null, 2)]
    [InlineData(0.0, 1)]
    [InlineData(4.2, 5)]
    [InlineData(900.0, 60)]
    public void A_refused_client_is_told_when_to_come_back(double? wait, int seconds) =>
        Assert.Equal(seconds, QueueLoad.RetryAfter(wait is { } known ? TimeSpan.FromSeconds(known) : null));

    [Fact]
    public void A_place_counts_once_whatever_happens_to_it_and_how_often()
    {
        var load = new QueueLoad(new FakeTimeProvider());
        Assert.True(load.TryEnter(_forEver, out var started, out _));
        Assert.True(load.TryEnter(_forEver, out var left, out _));
        Assert.True(load.TryEnter(_forEver, out var complete, out _));
        started.Start();
        started.Start();
        Assert.Equal(2, load.Waiting);
        left.Leave();
        left.Start();
        left.Leave();
        Assert.Equal(1, load.Waiting);
        complete.Complete();
        complete.Leave();
        started.Complete();
        started.Leave();
        Assert.Equal(0, load.Waiting);
        default(QueuePlace).Leave();
    }

    [Fact]
    public async Task Nobody_is_lost_when_many_come_and_go_at_once()
    {
        var load = new QueueLoad(TimeProvider.System);
        var places = new QueuePlace[8 * 2000];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var i = worker; i < places.Length; i += 8)
            {
                var place = i;
                Assert.True(load.TryEnter(_forEver, out places[place], out _));
                Parallel.Invoke(() => places[place].Start(), () => places[place].Leave(), () => places[place].Complete());
            }
        })));
        Assert.Equal(0, load.Waiting);
    }

    [Fact]
    public void A_request_costs_no_allocation()
    {
        var load = new QueueLoad(TimeProvider.System);
        Pass();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Pass();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Pass()
        {
            Assert.True(load.TryEnter(_forEver, out var place, out _));
            place.Start();
            place.Complete();
            place.Leave();
        }
    }
}
