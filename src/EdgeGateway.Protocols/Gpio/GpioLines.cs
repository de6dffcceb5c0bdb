using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>Lines that this process has: their values, and the edges that the kernel has kept.</summary>
/// <remarks>
/// Edges are taken in two steps that allocate nothing: <see cref="WaitAsync"/> until there are some, then <see cref="Read"/> as many as there are. One
/// thread of the process waits for all lines (and sockets). Waiting and reading are for one owner at a time; values may be got and set from anywhere.
/// <code>
/// while (true)
/// {
///     await lines.WaitAsync(TimeSpan.FromSeconds(1), cancel);
///     int count;
///     while ((count = lines.Read(events)) > 0) { foreach (ref readonly var e in events.AsSpan(0, count)) { counter.Add(e); } }
/// }
/// </code>
/// The kernel releases the lines when the last descriptor of them is closed. As long as another process keeps a copy (systemd's descriptor store), edges are
/// kept for whoever adopts it.
/// </remarks>
public sealed class GpioLines : IDisposable, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly SafeFileHandle _file;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly FileReadiness _readiness;
    private readonly Completion _done = new();
    private readonly string _title;
    private bool _isReleased;

    // The wait under way.
    private bool _isWaiting;
    private long _waitStarted;
    private TimeSpan _wait;
    private CancellationToken _cancel;

    internal unsafe GpioLines(SafeFileHandle file, string chip, GpioLineRequest request, TimeProvider time)
    {
        _file = file;
        _time = time;
        Chip = chip;
        Settings = request.Lines;
        Consumer = request.Consumer;
        _title = $"line {string.Join(", ", request.Lines.Select(line => line.Offset))} of {chip}";

        // A read must never wait; the flag belongs to the open file, so that it holds for whoever has a copy of the descriptor.
        var flags = Libc.FileControl(file, Libc.GetFileFlags, 0);
        if (flags < 0 || Libc.FileControl(file, Libc.SetFileFlags, flags | Libc.NonBlocking) < 0 || Libc.FileControl(file, Libc.SetDescriptorFlags, Libc.DescriptorCloseOnExec) < 0)
        {
            throw GpioErrors.Lines(_title, Marshal.GetLastPInvokeError());
        }

        _readiness = new(file, this);
        _timer = time.CreateTimer(static lines => ((GpioLines)lines!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The kernel's name of the chip.</summary>
    public string Chip { get; }

    /// <summary>The lines and what they are set to; values and masks count them in this order.</summary>
    public IReadOnlyList<GpioLineSettings> Settings { get; private set; }

    /// <summary>Who uses the lines, as other programs see it.</summary>
    public string Consumer { get; }

    /// <summary>The descriptor, for handing a copy to somebody who keeps it (<see cref="DescriptorPassing"/>). It stays this object's.</summary>
    public SafeFileHandle Descriptor => _file;

    private ulong AllLines => ulong.MaxValue >> (GpioLineRequest.MaxLines - Settings.Count);

    /// <summary>Goes on with lines that another process took, by a descriptor that it left behind. Edges that it has not read are still there.</summary>
    /// <param name="descriptor">The descriptor; it is this object's when the call returns, and still the caller's when it throws.</param>
    /// <param name="chip">The chip that the lines are expected on.</param>
    /// <param name="expected">The lines and settings that are expected; the size of the buffer cannot be seen from outside.</param>
    /// <param name="time">The clock of waits; null for the system's.</param>
    /// <exception cref="ArgumentException">The request contradicts itself.</exception>
    /// <exception cref="GpioException"><see cref="GpioFault.Mismatch"/>: the descriptor holds something else, and the message says what; close it and request the lines. <see cref="GpioFault.Gone"/>: the chip was removed meanwhile.</exception>
    public static GpioLines Adopt(SafeFileHandle descriptor, GpioChip chip, GpioLineRequest expected, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ArgumentNullException.ThrowIfNull(chip);
        ArgumentNullException.ThrowIfNull(expected);
        expected.Validate();
        RequireCount(descriptor, expected.Lines.Count);
        RequirePlaces(descriptor, chip, expected.Lines);
        foreach (var line in expected.Lines)
        {
            var info = chip.Line(line.Offset);
            if (info.DifferenceFrom(line, expected.Consumer) is { } difference)
            {
                throw Mismatch($"{info.Title} of {chip.Name} is not as expected: {difference}");
            }
        }

        return new(descriptor, chip.Name, expected, time ?? TimeProvider.System);
    }

    /// <summary>Which of the lines has this number on the chip.</summary>
    /// <returns>Its place in <see cref="Settings"/>; -1 when it is none of them.</returns>
    public int IndexOf(int offset)
    {
        for (var i = 0; i < Settings.Count; i++)
        {
            if (Settings[i].Offset == offset)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Whether a line is active now.</summary>
    /// <param name="line">Its place in <see cref="Settings"/>.</param>
    /// <exception cref="GpioException">The chip was removed.</exception>
    public bool Get(int line) => GetValues(Bit(line)) != 0;

    /// <summary>Which lines are active now.</summary>
    /// <param name="mask">Of these lines; bit i stands for the i-th of <see cref="Settings"/>.</param>
    /// <exception cref="GpioException">The chip was removed.</exception>
    public unsafe ulong GetValues(ulong mask)
    {
        GpioAbi.LineValues values = new() { Mask = mask & AllLines };
        ArgumentOutOfRangeException.ThrowIfZero(values.Mask, nameof(mask));
        return Libc.Ioctl(_file, GpioAbi.GetValues, &values) >= 0 ? values.Bits & values.Mask : throw Failed();
    }

    /// <summary>Makes an output active or not.</summary>
    /// <param name="line">Its place in <see cref="Settings"/>.</param>
    /// <param name="isActive">Whether it shall be active.</param>
    /// <exception cref="InvalidOperationException">The line is not an output.</exception>
    /// <exception cref="GpioException">The chip was removed.</exception>
    public void Set(int line, bool isActive) => SetValues(isActive ? ulong.MaxValue : 0, Bit(line));

    /// <summary>Makes outputs active or not, all at once where the chip can.</summary>
    /// <param name="values">Which shall be active.</param>
    /// <param name="mask">Of these lines; bit i stands for the i-th of <see cref="Settings"/>.</param>
    /// <exception cref="InvalidOperationException">A line is not an output.</exception>
    /// <exception cref="GpioException">The chip was removed.</exception>
    public unsafe void SetValues(ulong values, ulong mask)
    {
        GpioAbi.LineValues asked = new() { Bits = values, Mask = mask & AllLines };
        ArgumentOutOfRangeException.ThrowIfZero(asked.Mask, nameof(mask));
        for (var i = 0; i < Settings.Count; i++)
        {
            if ((asked.Mask & (1UL << i)) != 0 && Settings[i].Direction != GpioDirection.Output)
            {
                throw new InvalidOperationException($"line {Settings[i].Offset} of {Chip} is not an output");
            }
        }

        if (Libc.Ioctl(_file, GpioAbi.SetValues, &asked) < 0)
        {
            throw Failed();
        }
    }

    /// <summary>Changes what the lines are set to, without letting them go. The numbers of events go on.</summary>
    /// <param name="lines">The same lines in the same order.</param>
    /// <exception cref="ArgumentException">They are not the same lines, or the settings contradict themselves.</exception>
    /// <exception cref="GpioException">The kernel cannot do what was asked, or the chip was removed.</exception>
    public unsafe void Reconfigure(IReadOnlyList<GpioLineSettings> lines)
    {
        GpioLineRequest.Validate(lines);
        if (!lines.Select(line => line.Offset).SequenceEqual(Settings.Select(line => line.Offset)))
        {
            throw new ArgumentException($"lines {string.Join(", ", lines.Select(line => line.Offset))} are not those that were requested: {_title}");
        }

        var config = GpioLineConfig.Encode(lines);
        if (Libc.Ioctl(_file, GpioAbi.SetConfig, &config) < 0)
        {
            throw Failed();
        }

        Settings = lines;
    }

    /// <summary>Takes edges that the kernel has kept, oldest first, without waiting.</summary>
    /// <param name="events">Where they go.</param>
    /// <returns>How many there were, at most the length of <paramref name="events"/>; 0 for none.</returns>
    /// <exception cref="GpioException">The chip was removed (<see cref="GpioFault.Gone"/>).</exception>
    public unsafe int Read(Span<GpioEvent> events)
    {
        ArgumentOutOfRangeException.ThrowIfZero(events.Length, nameof(events));
        fixed (GpioEvent* start = events)
        {
            while (true)
            {
                var read = Libc.Read(_file, (byte*)start, (nuint)(events.Length * GpioEvent.Size));
                if (read >= 0)
                {
                    return (int)(read / GpioEvent.Size);
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.TryAgain:
                        return 0;
                    case Libc.Interrupted:
                        continue;
                    default:
                        throw Failed();
                }
            }
        }
    }

    /// <summary>Waits until there are edges to read, or the chip is gone, which the next <see cref="Read"/> says.</summary>
    /// <param name="wait">How long at most; <see cref="Timeout.InfiniteTimeSpan"/> for as long as it takes.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>False when the time is up. True may come in vain: then <see cref="Read"/> finds nothing.</returns>
    /// <exception cref="InvalidOperationException">Somebody waits already.</exception>
    /// <exception cref="ObjectDisposedException">The lines were released, before or meanwhile.</exception>
    /// <exception cref="IOException">The kernel does not wait for them; the message holds its words.</exception>
    public ValueTask<bool> WaitAsync(TimeSpan wait, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancel);
        }

        short version;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isReleased, this);
            if (_isWaiting)
            {
                throw new InvalidOperationException("a wait is already under way: lines have one owner");
            }

            _readiness.Arm(Libc.EpollIn);
            version = _done.Start();
            _isWaiting = true;
            _cancel = cancel;
            _wait = wait;
            if (wait != Timeout.InfiniteTimeSpan)
            {
                _waitStarted = _time.GetTimestamp();
                _timer.Change(WholeMilliseconds(wait), Timeout.InfiniteTimeSpan);
            }
        }

        if (cancel.CanBeCanceled)
        {
            _done.Registration = cancel.UnsafeRegister(static lines => ((GpioLines)lines!).OnCancel(), this);
        }

        return new(_done, version);
    }

    /// <summary>Closes this process's descriptor. The lines are free again when nobody else has a copy of it; what becomes of an output's level is up to the chip.</summary>
    public void Dispose()
    {
        bool wasWaiting;
        lock (_gate)
        {
            if (_isReleased)
            {
                return;
            }

            _isReleased = true;
            wasWaiting = StopWaiting();
        }

        _readiness.Dispose();
        _timer.Dispose();
        _file.Dispose();
        if (wasWaiting)
        {
            _done.Fail(new ObjectDisposedException(nameof(GpioLines)));
        }
    }

    /// <summary>There are edges, or the chip is gone.</summary>
    void IThreadPoolWorkItem.Execute() => End(1);

    /// <summary>The lines of another process's descriptor: a value can be had of every line that it has, and of no more.</summary>
    private static unsafe void RequireCount(SafeFileHandle descriptor, int count)
    {
        for (var i = count - 1; i <= count && i < GpioLineRequest.MaxLines; i++)
        {
            GpioAbi.LineValues values = new() { Mask = 1UL << i };
            var isThere = Libc.Ioctl(descriptor, GpioAbi.GetValues, &values) >= 0;
            var error = isThere ? 0 : Marshal.GetLastPInvokeError();
            if (error == Libc.DeviceGone)
            {
                throw GpioErrors.Lines("the lines that were handed over", error);
            }

            if (isThere != (i < count))
            {
                throw Mismatch(
                    isThere ? $"the descriptor holds more lines than the {count} that are expected"
                    : error == Libc.Invalid ? $"the descriptor holds fewer lines than the {count} that are expected, or something else"
                    : $"the descriptor holds no GPIO lines ({GpioErrors.Words(error)})");
            }
        }
    }

    /// <summary>Chip and numbers, which /proc tells since Linux 6.1; older kernels leave it at the number of lines and what is known of each.</summary>
    private static void RequirePlaces(SafeFileHandle descriptor, GpioChip chip, IReadOnlyList<GpioLineSettings> expected)
    {
        var (name, offsets) = ReadPlaces(File.ReadLines($"/proc/self/fdinfo/{descriptor.DangerousGetHandle()}"));
        if (name is null)
        {
            return;
        }

        if (name != chip.Name || !offsets.SequenceEqual(expected.Select(line => line.Offset)))
        {
            throw Mismatch($"the descriptor holds line {string.Join(", ", offsets)} of {name}, not line {string.Join(", ", expected.Select(line => line.Offset))} of {chip.Name}");
        }
    }

    internal static (string? Chip, IReadOnlyList<int> Offsets) ReadPlaces(IEnumerable<string> lines)
    {
        string? chip = null;
        List<int> offsets = [];
        foreach (var line in lines)
        {
            if (line.Split(':', 2) is [var key, var value])
            {
                switch (key)
                {
                    case "gpio-chip":
                        chip = value.Trim();
                        break;
                    case "gpio-line" when int.TryParse(value, out var offset):
                        offsets.Add(offset);
                        break;
                }
            }
        }

        return (chip, offsets);
    }

    private static GpioException Mismatch(string message) => new(GpioFault.Mismatch, message);

    /// <summary>Timers count whole milliseconds and cut off the rest.</summary>
    private static TimeSpan WholeMilliseconds(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(wait.TotalMilliseconds)));

    private ulong Bit(int line)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(line);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(line, Settings.Count);
        return 1UL << line;
    }

    private GpioException Failed() => GpioErrors.Lines(_title, Marshal.GetLastPInvokeError());

    private void OnTimer()
    {
        lock (_gate)
        {
            // A tick may belong to an earlier wait that ended as the timer fired.
            if (!_isWaiting || _wait == Timeout.InfiniteTimeSpan)
            {
                return;
            }

            var left = _wait - _time.GetElapsedTime(_waitStarted);
            if (left > TimeSpan.Zero)
            {
                _timer.Change(WholeMilliseconds(left), Timeout.InfiniteTimeSpan);
                return;
            }

            StopWaiting();
        }

        _done.Complete(0);
    }

    private void OnCancel()
    {
        CancellationToken cancel;
        lock (_gate)
        {
            if (!_isWaiting)
            {
                return;
            }

            cancel = _cancel;
            StopWaiting();
        }

        _done.Fail(new OperationCanceledException(cancel));
    }

    private void End(int result)
    {
        lock (_gate)
        {
            if (!StopWaiting())
            {
                return;
            }
        }

        _done.Complete(result);
    }

    /// <summary>Whether there was a wait.</summary>
    private bool StopWaiting()
    {
        if (!_isWaiting)
        {
            return false;
        }

        _isWaiting = false;
        _cancel = default;
        if (_wait != Timeout.InfiniteTimeSpan && !_isReleased)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        return true;
    }
}
