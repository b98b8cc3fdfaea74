using AgentPlatform.Messaging.Asking.Admission;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking.Admission;

public sealed class QueueLoadTests
{
    private static readonly TimeSpan _forEver = TimeSpan.FromDays(1);
    private static readonly AdmissionOptions _options = new();

    [Theory]
    [InlineData(3, 57)]
    [InlineData(0.1, 50)]
    [InlineData(300, 5625)]
    public void Of_a_burst_at_a_pool_that_has_started_nothing_so_many_are_let_in_as_may_be_begun_in_time_and_as_scaling_needs(
        double deadline, int letIn)
    {
        var load = new QueueLoad(_options, new FakeTimeProvider());
        TimeSpan? wait = null;
        for (var i = 0; i < 6000; i++)
        {
            var expected = i < letIn ? AdmissionRefusal.None : AdmissionRefusal.UnknownPace;
            Assert.Equal(expected, load.Enter(TimeSpan.FromSeconds(deadline), 300, out _, out wait));
        }

        Assert.Equal((letIn, 2), (load.Waiting, load.RetryAfterSeconds));
        Assert.Null(load.ExpectedWait);
        Assert.Equal((int)Math.Clamp(Math.Ceiling(letIn / _options.InitialPace), 1, 60), load.RetryAfter(wait));
    }

    [Fact]
    public void A_first_burst_with_short_deadlines_costs_few_late_answers_and_all_others_are_told_at_once()
    {
        // 500 at once, 3 s each, for a pool that does 20 a second.
        var (refusing, accepting) = (Burst(refuses: true), Burst(refuses: false));
        Assert.Equal(500, refusing.Refused + refusing.Completed + refusing.Expired);
        Assert.InRange(refusing.Refused, 400, 450);
        Assert.InRange(refusing.Expired, 0, 40);
        Assert.InRange(accepting.Expired, 430, 500);
        Assert.InRange(refusing.Completed, accepting.Completed - 8, 500);

        static PoolModel Burst(bool refuses)
        {
            var pool = new PoolModel(8, static () => 0.4) { Refuses = refuses };
            for (var i = 0; i < 500; i++)
            {
                pool.Arrive(patience: 3);
            }

            pool.RunUntil(20);
            return pool;
        }
    }

    [Fact]
    public void A_burst_is_measured_by_the_pace_that_the_pool_had_when_it_was_last_known()
    {
        var pool = new PoolModel(64, static () => 0.1);
        pool.Offer(new Random(3), rate: 900, until: 20, patience: 10);
        pool.RunUntil(100);
        Assert.Null(pool.Load.ExpectedWait);

        // 640 a second: three quarters of what it does in two seconds.
        var letIn = Enumerable.Range(0, 2000).TakeWhile(_ => pool.Arrive(patience: 2)).Count();
        Assert.InRange(letIn, 700, 1000);
    }

    [Fact]
    public void As_many_may_wait_as_the_pool_runs_though_its_pace_is_not_known()
    {
        var load = new QueueLoad(_options, new FakeTimeProvider());
        var places = new QueuePlace[200];
        for (var i = 0; i < places.Length; i++)
        {
            Assert.Equal(AdmissionRefusal.None, load.Enter(TimeSpan.FromSeconds(1), 300, out places[i], out _));
            places[i].Start();
        }

        var letIn = Enumerable.Range(0, 500)
            .TakeWhile(_ => load.Enter(TimeSpan.FromSeconds(1), 300, out QueuePlace _, out TimeSpan? _) == AdmissionRefusal.None).Count();
        Assert.Equal(200, letIn);
    }

    [Fact]
    public void Large_requests_are_refused_when_what_waits_is_too_large_and_small_ones_are_not()
    {
        const int Large = 2 * 1024 * 1024;
        var load = new QueueLoad(_options, new FakeTimeProvider());
        var places = new List<QueuePlace>();
        while (load.Enter(_forEver, Large, out var place, out _) == AdmissionRefusal.None)
        {
            places.Add(place);
        }

        Assert.Equal(24, places.Count);
        Assert.Equal(24L * Large, load.WaitingBytes);
        Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, 60_000, out var small, out _));
        Assert.Equal(AdmissionRefusal.Bytes, load.Enter(_forEver, Large, out _, out _));

        var started = places[0];
        started.Start();
        Assert.Equal((23L * Large) + 60_000, load.WaitingBytes);
        small.Leave();
        started.Complete();
        Assert.Equal(23L * Large, load.WaitingBytes);
        Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, Large, out _, out _));
    }

    [Fact]
    public void A_request_that_waits_for_nobody_is_let_in_however_large_it_is() =>
        Assert.Equal(AdmissionRefusal.None, new QueueLoad(_options, new FakeTimeProvider()).Enter(_forEver, int.MaxValue, out _, out _));

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
        Assert.Equal(
            seconds, new QueueLoad(_options, new FakeTimeProvider()).RetryAfter(wait is { } known ? TimeSpan.FromSeconds(known) : null));

    [Fact]
    public void A_place_counts_once_whatever_happens_to_it_and_how_often()
    {
        var load = new QueueLoad(_options, new FakeTimeProvider());
        Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, 300, out var started, out _));
        Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, 300, out var left, out _));
        Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, 300, out var complete, out _));
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
        var load = new QueueLoad(_options, TimeProvider.System);
        var places = new QueuePlace[8 * 2000];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var i = worker; i < places.Length; i += 8)
            {
                var place = i;
                Assert.Equal(AdmissionRefusal.None, load.Enter(_forEver, 300, out places[place], out _));
                Parallel.Invoke(() => places[place].Start(), () => places[place].Leave(), () => places[place].Complete());
            }
        })));
        Assert.Equal(0, load.Waiting);
    }

    [Fact]
    public void A_request_costs_no_allocation()
    {
        var load = new QueueLoad(_options, TimeProvider.System);
        Pass();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Pass();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Pass()
        {
            // Not Assert.Equal, which allocates.
            Assert.True(load.Enter(_forEver, 300, out var place, out _) == AdmissionRefusal.None);
            place.Start();
            place.Complete();
            place.Leave();
        }
    }
}
