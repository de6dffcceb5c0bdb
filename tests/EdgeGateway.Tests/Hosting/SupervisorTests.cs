using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Tests.Hosting;

public sealed class SupervisorTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Messages _log = new();

    [Fact]
    public async Task A_part_that_fails_is_started_again_after_pauses_that_double_up_to_a_minute()
    {
        var starts = new List<TimeSpan>();
        var kept = Keep(_ =>
        {
            starts.Add(_time.GetElapsedTime(0));
            if (starts.Count == 10)
            {
                _stop.Cancel();
            }

            throw new IOException("scripted");
        });
        await RunAsync(kept);
        Assert.Equal([1.0, 2, 4, 8, 16, 32, 60, 60, 60], starts.Zip(starts.Skip(1), (a, b) => (b - a).TotalSeconds));
        Assert.All(_log.Texts.Take(9), text => Assert.StartsWith("the part ended by a fault", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_that_ran_well_for_long_starts_again_soon()
    {
        var starts = new List<TimeSpan>();
        var kept = Keep(async cancel =>
        {
            starts.Add(_time.GetElapsedTime(0));
            if (starts.Count == 5)
            {
                await _stop.CancelAsync();
            }

            if (starts.Count == 4)
            {
                await Task.Delay(TimeSpan.FromSeconds(100), _time, cancel);
            }

            throw new IOException("scripted");
        });
        await RunAsync(kept);
        Assert.Equal([1.0, 2, 4, 101], starts.Zip(starts.Skip(1), (a, b) => (b - a).TotalSeconds));
    }

    [Fact]
    public async Task A_part_that_ends_unasked_is_started_again()
    {
        var starts = 0;
        var kept = Keep(_ =>
        {
            if (++starts == 2)
            {
                _stop.Cancel();
            }

            return Task.CompletedTask;
        });
        await RunAsync(kept);
        Assert.Equal(2, starts);
        Assert.Single(_log.Texts);
    }

    [Fact]
    public async Task A_part_that_was_cancelled_by_itself_is_started_again()
    {
        var starts = 0;
        var kept = Keep(_ =>
        {
            if (++starts == 2)
            {
                _stop.Cancel();
            }

            throw new OperationCanceledException("of its own");
        });
        await RunAsync(kept);
        Assert.Equal(2, starts);
    }

    [Fact]
    public async Task Cancelling_ends_the_part_quietly()
    {
        var kept = Keep(cancel => Task.Delay(Timeout.InfiniteTimeSpan, _time, cancel));
        await _stop.CancelAsync();
        await kept;
        Assert.Empty(_log.Texts);
    }

    [Fact]
    public async Task Cancelling_ends_the_pause()
    {
        var kept = Keep(_ => throw new IOException("scripted"));
        await RestAsync(kept);
        await _stop.CancelAsync();
        await kept;
        Assert.Single(_log.Texts);
    }

    public void Dispose() => _stop.Dispose();

    private Task Keep(Func<CancellationToken, Task> part) => Task.Run(() => Supervisor.KeepAsync("the part", part, _time, _log, _stop.Token));

    /// <summary>Moves the clock second by second, each when the supervisor waits for it.</summary>
    private async Task RunAsync(Task kept)
    {
        while (!kept.IsCompleted)
        {
            await RestAsync(kept);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        await kept;
    }

    private async Task RestAsync(Task kept)
    {
        while (_time.ActiveTimers == 0 && !kept.IsCompleted)
        {
            await Task.Yield();
        }
    }

    private sealed class Messages : ILogger
    {
        public List<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Texts.Add(formatter(state, exception));
    }
}
