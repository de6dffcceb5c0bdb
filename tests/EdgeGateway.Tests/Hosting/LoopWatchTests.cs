using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Requirement P-1: which loop counts as blocked, and when.</summary>
public sealed class LoopWatchTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly LoopWatch _watch;

    public LoopWatchTests() => _watch = new LoopWatch(null, _time, NullLogger.Instance);

    public void Dispose() => _watch.Dispose();

    [Fact]
    public void P_1_a_loop_that_turns_is_not_blocked_and_one_that_does_not_is_named_before_30_s_are_over()
    {
        var first = _watch.Add("bus a");
        _watch.Add("bus b");
        for (var second = 0; second < 29; second++)
        {
            first.Beat();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(["bus b has not turned for 29 s"], _watch.Blocked);
    }

    [Fact]
    public void P_1_a_rest_that_was_announced_is_no_block()
    {
        var beat = _watch.Add("bus a");
        beat.Beat(TimeSpan.FromHours(1));
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(19));
        Assert.Empty(_watch.Blocked);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Single(_watch.Blocked);
    }

    [Fact]
    public void P_1_a_loop_with_slow_devices_gets_the_time_that_they_take()
    {
        _watch.Add("bus slow", TimeSpan.FromMinutes(2));
        _time.Advance(TimeSpan.FromSeconds(119));
        Assert.Empty(_watch.Blocked);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Single(_watch.Blocked);
    }

    [Fact]
    public void P_1_a_loop_that_waits_for_the_disk_is_excused_and_gets_its_whole_time_afterwards()
    {
        var full = true;
        _watch.Add("bus a", excused: () => full);
        _watch.Start(() => "");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(_watch.Blocked);
        full = false;
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Empty(_watch.Blocked);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(_watch.Blocked);
    }

    [Theory]
    [InlineData(null, null, null, false, 0)]
    [InlineData("relative", null, null, false, 0)]
    [InlineData("/run/notify", null, null, true, 0)]
    [InlineData("/run/notify", "30000000", null, true, 30)]
    [InlineData("@notify", "30000000", "42", true, 30)]
    [InlineData("/run/notify", "30000000", "43", true, 0)]
    [InlineData("/run/notify", "soon", null, true, 0)]
    public void P_1_the_environment_says_who_watches(string? socket, string? microseconds, string? pid, bool isThere, int seconds)
    {
        using var manager = ServiceManager.FromEnvironment(
            name => name switch { "NOTIFY_SOCKET" => socket, "WATCHDOG_USEC" => microseconds, "WATCHDOG_PID" => pid, _ => null }, 42);
        Assert.Equal(isThere, manager is not null);
        Assert.Equal(seconds == 0 ? null : TimeSpan.FromSeconds(seconds), manager?.WatchdogInterval);
    }

    [Fact]
    public void P_2_a_task_that_failed_unseen_is_counted()
    {
        using var faults = new FaultCount(NullLogger.Instance);
        Leave();
        for (var i = 0; i < 20 && faults.Count == 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.True(faults.Count >= 1);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Leave()
        {
            var task = Task.Run(() => throw new InvalidOperationException("nobody looks"));
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        }
    }
}
