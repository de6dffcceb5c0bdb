using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A serial port or pseudo-terminal of Linux, raw and exclusive.</summary>
/// <remarks>
/// One thread for each port sleeps in poll(2) and moves bytes into a ring; a read takes from the ring or waits on a reused
/// <see cref="IValueTaskSource{TResult}"/>, so reading allocates nothing and no thread of the pool ever blocks.
/// </remarks>
public sealed class SerialPort : IByteLine, IValueTaskSource<int>, IThreadPoolWorkItem
{
    private const int RingSize = 4096;

    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle _wake;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Thread _reader;
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[RingSize];
    private int _start;
    private int _count;
    private long _overruns;
    private bool _closed;
    private int _disposed;

    private ManualResetValueTaskSourceCore<int> _source;
    private bool _waiting;
    private Memory<byte> _destination;
    private long _waitStarted;
    private TimeSpan _wait;
    private int _result;
    private CancellationToken _cancel;
    private CancellationTokenRegistration _registration;

    private SerialPort(string path, SafeFileHandle file, SafeFileHandle wake, SerialSettings settings, TimeProvider time)
    {
        Path = path;
        Settings = settings;
        _file = file;
        _wake = wake;
        _time = time;
        _timer = time.CreateTimer(static port => ((SerialPort)port!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _reader = new Thread(ReadLoop) { IsBackground = true, Name = $"serial {path}" };
        _reader.Start();
    }

    /// <summary>The path the port was opened by.</summary>
    public string Path { get; }

    /// <summary>The settings in force.</summary>
    public SerialSettings Settings { get; }

    /// <summary>Bytes thrown away because nobody read them in time.</summary>
    public long Overruns
    {
        get
        {
            lock (_gate)
            {
                return _overruns;
            }
        }
    }

    /// <summary>Opens a port for this process alone.</summary>
    /// <exception cref="SerialPortException">It cannot be opened or does not accept the settings; the message says what to do.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static SerialPort Open(string path, SerialSettings settings, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("serial ports are only supported on Linux");
        }

        var number = Libc.Open(path, Libc.ReadWrite | Libc.NoControllingTerminal | Libc.NonBlocking | Libc.CloseOnExec);
        if (number < 0)
        {
            throw new SerialPortException(WhyNotOpen(path, Marshal.GetLastPInvokeError()));
        }

        var file = new SafeFileHandle(number, ownsHandle: true);
        try
        {
            Configure(path, file, settings);
            var wake = Libc.EventFd(0, Libc.NonBlocking | Libc.CloseOnExec);
            if (wake < 0)
            {
                throw new SerialPortException($"{path}: no event descriptor could be had: {LastError()}");
            }

            return new SerialPort(path, file, new SafeFileHandle(wake, ownsHandle: true), settings, time ?? TimeProvider.System);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(buffer.Length, nameof(buffer));
        if (cancel.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancel);
        }

        short version;
        lock (_gate)
        {
            if (_waiting)
            {
                throw new InvalidOperationException("a read is already waiting: a serial port has one owner");
            }

            if (_count > 0)
            {
                return ValueTask.FromResult(Take(buffer.Span));
            }

            if (_closed)
            {
                return ValueTask.FromResult(-1);
            }

            if (wait <= TimeSpan.Zero)
            {
                return ValueTask.FromResult(0);
            }

            _source.Reset();
            version = _source.Version;
            _waiting = true;
            _destination = buffer;
            _waitStarted = _time.GetTimestamp();
            _wait = wait;
            _cancel = cancel;
            _timer.Change(WholeMilliseconds(wait), Timeout.InfiniteTimeSpan);
        }

        if (cancel.CanBeCanceled)
        {
            _registration = cancel.UnsafeRegister(static port => ((SerialPort)port!).OnCancel(), this);
        }

        return new ValueTask<int>(this, version);
    }

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var written = WriteSome(bytes.Span);
        if (written == bytes.Length)
        {
            return ValueTask.FromResult(true);
        }

        // A frame is far smaller than the kernel's buffer, so this is rare: a line stopped by flow control, or a stuck adapter.
        return written < 0
            ? ValueTask.FromResult(false)
            : WriteRestAsync(bytes[written..], wait, cancel);
    }

    /// <summary>Closes the port; a waiting read ends with -1.</summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Wake();
            _reader.Join();
            _timer.Dispose();
            _file.Dispose();
            _wake.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        // Disposing waits for a callback that is under way, so a late one cannot meet the next read.
        _registration.Dispose();
        _registration = default;
        return _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute() => _source.SetResult(_result);

    private static unsafe void Configure(string path, SafeFileHandle file, SerialSettings settings)
    {
        Libc.Termios2 termios;
        if (Libc.Ioctl(file, Libc.GetTermios2, &termios) != 0)
        {
            throw new SerialPortException($"{path} is not a serial port ({LastError()}): give a device such as /dev/ttyUSB0 or /dev/serial/by-id/...");
        }

        if (Libc.Flock(file, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
        {
            throw new SerialPortException(Busy(path, ownHandles: 1));
        }

        // From here on opening it anew fails for all but root, which the lock above stops if it asks for the lock as well.
        if (Libc.Ioctl(file, Libc.SetExclusive, (nint)0) != 0)
        {
            throw new SerialPortException($"{path} cannot be had exclusively: {LastError()}");
        }

        termios.Input = settings.Parity == SerialParity.None
            ? Libc.Termios2.IgnoreBreak
            : Libc.Termios2.IgnoreBreak | Libc.Termios2.InputParityCheck | Libc.Termios2.IgnoreParityErrors;
        termios.Output = 0;
        termios.Local = 0;
        termios.Control = Libc.Termios2.BaudIsNumber
            | (Libc.Termios2.BaudIsNumber << Libc.Termios2.InputBaudShift)
            | Libc.Termios2.EnableReceiver
            | Libc.Termios2.IgnoreModemLines
            | ((uint)(settings.DataBits - 5) << 4)
            | (settings.StopBits == 2 ? Libc.Termios2.TwoStopBits : 0)
            | (settings.Parity == SerialParity.None ? 0 : Libc.Termios2.EnableParity)
            | (settings.Parity == SerialParity.Odd ? Libc.Termios2.OddParity : 0);
        termios.InputSpeed = (uint)settings.Baud;
        termios.OutputSpeed = (uint)settings.Baud;
        termios.Characters[Libc.Termios2.MinimumIndex] = 0;
        termios.Characters[Libc.Termios2.TimeIndex] = 0;

        if (Libc.Ioctl(file, Libc.SetTermios2AndFlush, &termios) != 0 || Libc.Ioctl(file, Libc.GetTermios2, &termios) != 0)
        {
            throw new SerialPortException($"{path} does not accept {settings} ({LastError()}): choose settings that the adapter supports");
        }

        // A receiver samples in the middle of a bit: beyond about 3 % the last bits of a character are lost.
        if (Math.Abs((double)termios.OutputSpeed - settings.Baud) > 0.03 * settings.Baud)
        {
            throw new SerialPortException($"{path} cannot run at {settings.Baud} baud, the nearest rate it offers is {termios.OutputSpeed}: choose another rate on the devices");
        }

        if (Libc.Ioctl(file, Libc.FlushQueues, Libc.FlushBoth) != 0)
        {
            throw new SerialPortException($"{path}: stale input could not be thrown away: {LastError()}");
        }
    }

    private static string WhyNotOpen(string path, int error) => error switch
    {
        Libc.NoEntry => $"{path} does not exist: is the adapter plugged in? `ls -l /dev/serial/by-id/` lists what is there",
        Libc.AccessDenied or Libc.NotPermitted => $"{path} may not be opened by this user: add the user to group dialout (`sudo usermod -aG dialout {Environment.UserName}`) and log in again",
        Libc.Busy => Busy(path, ownHandles: 0),
        Libc.NoSuchDevice or Libc.DeviceGone => $"{path} has no hardware behind it: is the adapter plugged in, is the UART enabled in the boot configuration?",
        _ => $"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})",
    };

    private static string Busy(string path, int ownHandles)
    {
        var holder = PortHolder.Find(path, ownHandles);
        return holder is null
            ? $"{path} is in use by another program: stop it (`sudo fuser -v {path}` tells which)"
            : $"{path} is in use by {holder}: a line has one owner, so one of the two has to let go";
    }

    private static string LastError()
    {
        var error = Marshal.GetLastPInvokeError();
        return $"{Marshal.GetPInvokeErrorMessage(error)}, errno {error}";
    }

    /// <summary>Timers count whole milliseconds and cut off the rest; a silence must not come out shorter than asked.</summary>
    private static TimeSpan WholeMilliseconds(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));

    private unsafe int WriteSome(ReadOnlySpan<byte> bytes)
    {
        var total = 0;
        fixed (byte* start = bytes)
        {
            while (total < bytes.Length)
            {
                var written = Libc.Write(_file, start + total, (nuint)(bytes.Length - total));
                if (written >= 0)
                {
                    total += (int)written;
                    continue;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Libc.Interrupted:
                        continue;
                    case Libc.TryAgain:
                        return total;
                    default:
                        return -1;
                }
            }
        }

        return total;
    }

    // Apart from WriteAsync, where the closure would be made for each frame.
    private ValueTask<bool> WriteRestAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel) =>
        new(Task.Run(() => WriteRest(bytes, wait, cancel), cancel));

    private unsafe bool WriteRest(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        const int SliceMilliseconds = 20;
        var started = _time.GetTimestamp();
        while (!bytes.IsEmpty)
        {
            cancel.ThrowIfCancellationRequested();
            if (_time.GetElapsedTime(started) >= wait || Volatile.Read(ref _disposed) != 0)
            {
                return false;
            }

            Libc.PollEntry entry = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollOut };
            _ = Libc.Poll(&entry, 1, SliceMilliseconds);
            var written = WriteSome(bytes.Span);
            if (written < 0)
            {
                return false;
            }

            bytes = bytes[written..];
        }

        return true;
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        // An eventfd refuses a write only at its limit of 2^64 - 2 wake-ups.
        _ = Libc.Write(_wake, (byte*)&one, sizeof(ulong));
    }

    private unsafe void ReadLoop()
    {
        const int ChunkSize = 512;
        var chunk = stackalloc byte[ChunkSize];
        var entries = stackalloc Libc.PollEntry[2];
        entries[0] = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollIn };
        entries[1] = new() { File = (int)_wake.DangerousGetHandle(), Events = Libc.PollIn };
        while (true)
        {
            var ready = Libc.Poll(entries, 2, -1);
            if (ready < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted)
            {
                continue;
            }

            if (ready < 0 || entries[1].Happened != 0)
            {
                break;
            }

            var read = Libc.Read(_file, chunk, ChunkSize);
            if (read > 0)
            {
                Deliver(new ReadOnlySpan<byte>(chunk, (int)read));
                continue;
            }

            var error = read < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (error is not (Libc.TryAgain or Libc.Interrupted) || (entries[0].Happened & (Libc.PollHangUp | Libc.PollError)) != 0)
            {
                break;
            }
        }

        OnClosed();
    }

    private void Deliver(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            foreach (var b in bytes)
            {
                if (_count == RingSize)
                {
                    _start = (_start + 1) % RingSize;
                    _count--;
                    _overruns++;
                }

                _ring[(_start + _count) % RingSize] = b;
                _count++;
            }

            if (!_waiting)
            {
                return;
            }

            _result = Take(_destination.Span);
            StopWaiting();
        }

        // The continuation belongs on the pool: the reader goes straight back to the line.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnClosed()
    {
        lock (_gate)
        {
            _closed = true;
            if (!_waiting)
            {
                return;
            }

            _result = -1;
            StopWaiting();
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            // A tick may belong to an earlier read that ended as the timer fired.
            var left = _wait - _time.GetElapsedTime(_waitStarted);
            if (left > TimeSpan.Zero)
            {
                _timer.Change(WholeMilliseconds(left), Timeout.InfiniteTimeSpan);
                return;
            }

            StopWaiting();
        }

        _source.SetResult(0);
    }

    private void OnCancel()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            StopWaiting();
        }

        _source.SetException(new OperationCanceledException(_cancel));
    }

    private void StopWaiting()
    {
        _waiting = false;
        _destination = default;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private int Take(Span<byte> destination)
    {
        var count = Math.Min(destination.Length, _count);
        var first = Math.Min(count, RingSize - _start);
        _ring.AsSpan(_start, first).CopyTo(destination);
        _ring.AsSpan(0, count - first).CopyTo(destination[first..]);
        _start = (_start + count) % RingSize;
        _count -= count;
        return count;
    }
}
