using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Gpio;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Lines;

/// <summary>What a line and its watch are given beside the input.</summary>
/// <param name="Bus">Id of the bus.</param>
/// <param name="Source">Where lines come from.</param>
/// <param name="Time">Clock of waits.</param>
/// <param name="Boot">This boot.</param>
/// <param name="Log">Told of what changes.</param>
internal sealed record LineSeat(string Bus, ILineSource Source, TimeProvider Time, Guid Boot, ILogger Log);

/// <summary>
/// Takes the line of one input, follows its edges between polls, and takes it again when it is lost. The waiting is done by the one thread of the process that waits for all lines. The kernel keeps
/// edges with their times, so they are fetched in batches: what a line costs hardly grows with its rate, and following edges allocates nothing.
/// </summary>
internal sealed class LineWatch : IAsyncDisposable
{
    /// <summary>What the keys of all notes with totals begin with.</summary>
    public const string KeyPrefix = "gpio/";

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // Between two batches: a full buffer of the kernel (1,024 edges) would need 20,000 edges a second.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);
    private static readonly BusReply Missing = new(QualityReason.NotConnected);

    private readonly GpioInput _input;
    private readonly LineSeat _seat;
    private readonly string _noteKey;
    private readonly LineMeter _meter;
    private readonly bool _isFollowed;
    private readonly Lock _gate = new();
    private readonly GpioEvent[] _events = new GpioEvent[64];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _lost;
    private TakenLines? _taken;
    private volatile string? _problem = "the line has not been taken yet";
    private Task _watching = Task.CompletedTask;

    /// <param name="input">The input.</param>
    /// <param name="seat">Its surroundings.</param>
    /// <param name="notes">What was committed, by key; null when totals are not known here, and nothing is counted.</param>
    public LineWatch(GpioInput input, LineSeat seat, IReadOnlyDictionary<string, string>? notes)
    {
        _input = input;
        _seat = seat;
        _noteKey = KeyOf(seat.Bus, input);
        _isFollowed = notes is not null && input.HasEdges();
        _meter = _isFollowed ? LineMeter.Of(input, notes!.GetValueOrDefault(_noteKey), seat.Boot) : new LevelMeter(input);
    }

    /// <summary>Why there is no line, in words; null when there is one.</summary>
    public string? Problem => _problem;

    /// <summary>Ends when the line has been asked for once, with or without success.</summary>
    public Task Tried => _tried.Task;

    /// <summary>Key of the note that holds the totals of an input.</summary>
    public static string KeyOf(string bus, GpioInput input) => $"{KeyPrefix}{bus}/{input.Unit}/{input.Number}";

    /// <summary>Begins.</summary>
    public void Start() => _watching = Task.Run(WatchAsync);

    /// <summary>Shows the present values.</summary>
    /// <param name="block">The registers of the input, which say that there are none.</param>
    public BusReply Show(Span<ushort> block)
    {
        lock (_gate)
        {
            if (_taken is not { } taken)
            {
                return Missing;
            }

            try
            {
                var nowNs = _seat.Source.NowNs;
                var values = taken.Lines.Values();
                Follow(taken);
                _meter.Show(block, values, Math.Max(nowNs, _lastNs));
                return BusReply.Good;
            }
            catch (IOException e)
            {
                Lose(e.Message);
                return Missing;
            }
        }
    }

    /// <summary>Makes an output active or not.</summary>
    public BusReply Set(bool isActive)
    {
        lock (_gate)
        {
            if (_taken is not { } taken)
            {
                return Missing;
            }

            try
            {
                taken.Lines.Set(isActive);
                return BusReply.Good;
            }
            catch (IOException e)
            {
                Lose(e.Message);
                return Missing;
            }
        }
    }

    /// <summary>What is to be committed; null when nothing has changed.</summary>
    public StoreNote? News()
    {
        lock (_gate)
        {
            if (_taken is not { } taken)
            {
                return null;
            }

            try
            {
                // The time before the edges are read: what comes meanwhile belongs to the next commit.
                var nowNs = _seat.Source.NowNs;
                Follow(taken);
                return _meter.News(Math.Max(nowNs, _lastNs)) is { } text ? new StoreNote(_noteKey, text) : null;
            }
            catch (IOException e)
            {
                Lose(e.Message);
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        lock (_gate)
        {
            _lost?.Dispose();
            if (_taken is { } taken)
            {
                if (_input.Use == LineUse.Output)
                {
                    SetSafe(taken);
                }

                _seat.Source.GiveBack(_seat.Bus, _input, taken);
                _taken = null;
            }
        }

        _stop.Dispose();
    }

    // Time stamp of the newest edge.
    private ulong _lastNs;

    private async Task WatchAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            var lost = new CancellationTokenSource();
            var isTaken = Take(lost);
            _tried.TrySetResult();
            if (isTaken)
            {
                pause = FirstPause;
                using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, lost.Token);
                await FollowAsync(end.Token).ConfigureAwait(false);
            }

            await Task.Delay(pause, _seat.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private bool Take(CancellationTokenSource lost)
    {
        try
        {
            lock (_gate)
            {
                _lost?.Dispose();
                _lost = lost;
                var taken = _seat.Source.Take(_seat.Bus, _input);
                try
                {
                    var nowNs = _seat.Source.NowNs;
                    _meter.Begin(taken, taken.Lines.Values(), nowNs);
                }
                catch
                {
                    _seat.Source.Drop(_seat.Bus, _input, taken);
                    throw;
                }

                _taken = taken;
                _problem = null;
                Log.LineTaken(_seat.Log, _seat.Bus, _input.Title, taken.IsKept ? "taken over, its edges were kept" : _input.Use == LineUse.Output ? $"requested, {Word(_input.IsSafeActive)}" : "requested");
                if (taken.Refused is { } refused)
                {
                    Log.LineNotTakenOver(_seat.Log, _seat.Bus, _input.Title, refused);
                }
            }

            return true;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            _problem = e.Message;
            return false;
        }
    }

    /// <summary>Follows the edges until the line is lost, or the end.</summary>
    private async Task FollowAsync(CancellationToken end)
    {
        if (!_isFollowed)
        {
            // Somebody who reads or sets it notices the loss.
            await Task.Delay(Timeout.InfiniteTimeSpan, _seat.Time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var rest = new Alarm(_seat.Time);
        await using var ending = end.UnsafeRegister(static rest => ((Alarm)rest!).Wake(), rest).ConfigureAwait(false);
        try
        {
            while (_taken is { } taken)
            {
                await taken.Lines.WaitAsync(Timeout.InfiniteTimeSpan, end).ConfigureAwait(false);
                lock (_gate)
                {
                    if (_taken is not null)
                    {
                        Follow(taken);
                    }
                }

                await rest.WaitAsync(Rest).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The end, or somebody else noticed that it is lost.
            return;
        }
        catch (IOException e)
        {
            lock (_gate)
            {
                Lose(e.Message);
            }
        }
        catch (ObjectDisposedException)
        {
            // Dropped meanwhile: it is lost.
            return;
        }
    }

    private void Follow(TakenLines taken)
    {
        if (!_isFollowed)
        {
            return;
        }

        int count;
        do
        {
            count = taken.Lines.Read(_events);
            for (var i = 0; i < count; i++)
            {
                _meter.Add(_events[i]);
                _lastNs = _events[i].TimestampNs;
            }
        }
        while (count == _events.Length);
    }

    private void Lose(string problem)
    {
        if (_taken is not { } taken)
        {
            return;
        }

        _taken = null;
        _problem = problem;
        _seat.Source.Drop(_seat.Bus, _input, taken);
        _lost?.Cancel();
    }

    private void SetSafe(TakenLines taken)
    {
        try
        {
            taken.Lines.Set(_input.IsSafeActive);
            Log.OutputSafe(_seat.Log, _seat.Bus, _input.Title, Word(_input.IsSafeActive));
        }
        catch (IOException e)
        {
            Log.OutputNotSafe(_seat.Log, _seat.Bus, _input.Title, Word(_input.IsSafeActive), e.Message);
        }
    }

    private static string Word(bool isActive) => isActive ? "on" : "off";
}
