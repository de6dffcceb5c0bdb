using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A serial port or pseudo-terminal of Linux, raw and exclusive.</summary>
/// <remarks>
/// One thread for each port sleeps in ppoll(2), moves bytes into a ring and writes what has to wait for silence; a read takes from the
/// ring or waits on a reused <see cref="Completion"/>, so nothing is allocated and no thread of the pool ever blocks.
///
/// Silence is kept by that thread alone: it knows when the last byte came, sleeps until shortly before the silence is over (the
/// kernel's high-resolution timer, without the usual slack) and spins for the last <see cref="SpinMicroseconds"/> at most, so
/// that the next request starts on time and never early. What is written is counted at the pace of the wire: the kernel takes a frame at once, but
/// it has left only when its last bit has.
/// </remarks>
public sealed class SerialPort : IPacedLine
{
    /// <summary>The longest that a write which waits for silence spins instead of sleeping, in microseconds.</summary>
    public const int SpinMicroseconds = 50;

    private const double LargestBaudDeviation = 0.02;
    private const int RingSize = 4096;
    private const int WakeUpSlackNanoseconds = 1;
    private const int LowestRealTimePriority = 1;

    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle _wake;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Thread _owner;
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[RingSize];
    private int _start;
    private int _count;
    private long _overruns;
    private bool _closed;
    private int _disposed;

    private readonly Completion _readDone;
    private bool _waiting;
    private Memory<byte> _destination;
    private int _atLeast;
    private long _waitStarted;
    private TimeSpan _wait;
    private TimeSpan _gap;
    private CancellationToken _cancel;

    private readonly Completion _writeDone;
    private readonly long _spin;
    private bool _isWriting;
    private ReadOnlyMemory<byte> _outgoing;
    private long _due;

    // Until when the line is known to have been busy, by bytes that came and by our own that were still travelling.
    private long _heardAt;
    private SendingTime _sent;

    // What a stuck adapter has not sent would keep the close waiting for many seconds.
    private bool _isStuck;

    private SerialPort(string path, SafeFileHandle file, SafeFileHandle wake, SerialSettings settings, TimeProvider time)
    {
        Path = path;
        Settings = settings;
        _file = file;
        _wake = wake;
        _time = time;
        _readDone = new();
        _writeDone = new();
        _spin = time.TimestampFrequency * SpinMicroseconds / 1_000_000;
        _heardAt = time.GetTimestamp();
        _sent = new(settings, time.TimestampFrequency, _heardAt);
        _timer = time.CreateTimer(static port => ((SerialPort)port!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _owner = new Thread(Run) { IsBackground = true, Name = $"serial {path}" };
        _owner.Start();
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
            throw new SerialPortException(SerialTrouble.NotOpened(path, Marshal.GetLastPInvokeError(), new SerialInventory()));
        }

        var file = new SafeFileHandle(number, ownsHandle: true);
        try
        {
            Configure(path, file, settings);
            var wake = Libc.EventFd(0, Libc.NonBlocking | Libc.CloseOnExec);
            if (wake < 0)
            {
                throw new SerialPortException($"{path}: no event descriptor could be had: {Libc.LastError()}");
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
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel) =>
        ReadAsync(buffer, 1, wait, wait, cancel);

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, int atLeast, TimeSpan wait, TimeSpan gap, CancellationToken cancel)
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

            atLeast = Math.Min(atLeast, buffer.Length);
            if (_count >= atLeast || (_count > 0 && (_closed || wait <= TimeSpan.Zero)))
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

            version = _readDone.Start();
            _waiting = true;
            _destination = buffer;
            _atLeast = atLeast;
            _waitStarted = _time.GetTimestamp();
            _wait = wait;
            _gap = gap;
            _cancel = cancel;
            _timer.Change(WholeMilliseconds(_count > 0 && gap < wait ? gap : wait), Timeout.InfiniteTimeSpan);
        }

        if (cancel.CanBeCanceled)
        {
            _readDone.Registration = cancel.UnsafeRegister(static port => ((SerialPort)port!).OnCancel(), this);
        }

        return new ValueTask<int>(_readDone, version);
    }

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var written = WriteSome(bytes.Span);
        lock (_gate)
        {
            NoteSent(written);
        }

        if (written == bytes.Length)
        {
            return ValueTask.FromResult(true);
        }

        // A frame is far smaller than the kernel's buffer, so this is rare: a line stopped by flow control, or a stuck adapter.
        return written < 0
            ? ValueTask.FromResult(false)
            : WriteRestAsync(bytes[written..], wait, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<int> WriteAfterSilenceAsync(ReadOnlyMemory<byte> bytes, TimeSpan silence, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes.Length, nameof(bytes));
        cancel.ThrowIfCancellationRequested();
        short version;
        lock (_gate)
        {
            if (_isWriting)
            {
                throw new InvalidOperationException("a write is already waiting: a serial port has one owner");
            }

            if (_closed)
            {
                return ValueTask.FromResult(-1);
            }

            if (_count > 0)
            {
                return ValueTask.FromResult(IPacedLine.Heard);
            }

            _due = Math.Max(_heardAt, _sent.Until) + (long)(silence.TotalSeconds * _time.TimestampFrequency) + 1;
            if (_time.GetTimestamp() >= _due && !HasInput())
            {
                var written = WriteSome(bytes.Span);
                NoteSent(written);
                return ValueTask.FromResult(written);
            }

            version = _writeDone.Start();
            _outgoing = bytes;
            _isWriting = true;
        }

        Wake();
        return new ValueTask<int>(_writeDone, version);
    }

    /// <summary>Closes the port; a waiting read or write ends with -1.</summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Wake();
            _owner.Join();
            _timer.Dispose();
            if (Volatile.Read(ref _isStuck))
            {
                ThrowAwayUnsent();
            }

            _file.Dispose();
            _wake.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The kernel waits for unsent bytes when a port is closed. Where this fails, the close takes as long as it takes.</summary>
    private unsafe void ThrowAwayUnsent() => _ = Libc.Ioctl(_file, Libc.FlushQueues, Libc.FlushBoth);

    private static unsafe void Configure(string path, SafeFileHandle file, SerialSettings settings)
    {
        Libc.Termios2 termios;
        if (Libc.Ioctl(file, Libc.GetTermios2, &termios) != 0)
        {
            throw new SerialPortException($"{path} is not a serial port ({Libc.LastError()}): give a device such as /dev/ttyUSB0 or /dev/serial/by-id/...");
        }

        if (Libc.Flock(file, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
        {
            throw new SerialPortException(SerialTrouble.Busy(path, ownHandles: 1, new SerialInventory()));
        }

        // From here on opening it anew fails for all but root, which the lock above stops if it asks for the lock as well.
        if (Libc.Ioctl(file, Libc.SetExclusive, (nint)0) != 0)
        {
            throw new SerialPortException($"{path} cannot be had exclusively: {Libc.LastError()}");
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
            throw new SerialPortException($"{path} does not accept {settings} ({Libc.LastError()}): choose settings that the adapter supports");
        }

        // A receiver samples in the middle of a bit: what the two ends are off adds up over a character, and beyond some percent its
        // last bits are lost. The kernel tells what the hardware has really made of the rate.
        if (Math.Abs((double)termios.OutputSpeed - settings.Baud) > LargestBaudDeviation * settings.Baud)
        {
            throw new SerialPortException(
                $"{path} cannot run at {settings.Baud} baud: the adapter makes {termios.OutputSpeed} of it, which is {Math.Abs(((double)termios.OutputSpeed / settings.Baud) - 1):P1} off. Choose another rate on the devices, or another adapter");
        }

        if (settings.Rs485 is { } direction)
        {
            SwitchDirection(path, file, direction);
        }

        if (settings.LowLatency)
        {
            AskForLowLatency(file);
        }

        if (Libc.Ioctl(file, Libc.FlushQueues, Libc.FlushBoth) != 0)
        {
            throw new SerialPortException($"{path}: stale input could not be thrown away: {Libc.LastError()}");
        }
    }

    private static unsafe void SwitchDirection(string path, SafeFileHandle file, Rs485Settings direction)
    {
        Libc.SerialRs485 rs485 = new()
        {
            Flags = Libc.SerialRs485.Enabled
                | (direction.RtsHighOnSend ? Libc.SerialRs485.RtsOnSend : 0)
                | (direction.RtsHighAfterSend ? Libc.SerialRs485.RtsAfterSend : 0)
                | (direction.ReceiveDuringSend ? Libc.SerialRs485.ReceiveDuringSend : 0)
                | (direction.Terminate ? Libc.SerialRs485.TerminateBus : 0),
            DelayBeforeSend = (uint)direction.DelayBefore.TotalMilliseconds,
            DelayAfterSend = (uint)direction.DelayAfter.TotalMilliseconds,
        };
        var wanted = rs485.Flags;
        if (Libc.Ioctl(file, Libc.SetRs485, &rs485) != 0)
        {
            var reason = Libc.LastError();
            throw new SerialPortException(
                $"{path}: its driver does not switch the direction of an RS-485 line ({reason}). If the adapter switches by itself, as nearly all USB adapters do, leave out 'rs485' or write 'rs485: adapter'; if not, use a UART whose driver has TIOCSRS485");
        }

        // A driver that cannot do what was asked says so by changing the flags.
        if ((rs485.Flags & Libc.SerialRs485.Enabled) == 0 || (rs485.Flags & Libc.SerialRs485.RtsOnSend) != (wanted & Libc.SerialRs485.RtsOnSend))
        {
            throw new SerialPortException($"{path}: its driver takes RS-485 direction control only with other RTS levels (flags 0x{rs485.Flags:X} instead of 0x{wanted:X}): change 'rtsOnSend' and 'rtsAfterSend'");
        }

        if ((wanted & ~rs485.Flags & (Libc.SerialRs485.TerminateBus | Libc.SerialRs485.ReceiveDuringSend)) != 0)
        {
            throw new SerialPortException($"{path}: its driver cannot {((wanted & ~rs485.Flags & Libc.SerialRs485.TerminateBus) != 0 ? "switch a termination: leave out 'terminate' and set the jumper" : "listen while it sends: leave out 'receiveDuringSend'")}");
        }
    }

    /// <summary>
    /// Bytes are handed over at once instead of after up to 16 ms (FTDI adapters). Many drivers have no such switch, and a pseudo-terminal
    /// has none: then the line works all the same, only with the latency that it has.
    /// </summary>
    private static unsafe void AskForLowLatency(SafeFileHandle file)
    {
        // struct serial_struct: type, line, port, irq, flags, and more that differs between word sizes and is left as it is.
        const int FlagsIndex = 4;
        const int LowLatency = 1 << 13;
        var info = stackalloc int[64];
        if (Libc.Ioctl(file, Libc.GetSerial, info) == 0 && (info[FlagsIndex] & LowLatency) == 0)
        {
            info[FlagsIndex] |= LowLatency;
            _ = Libc.Ioctl(file, Libc.SetSerial, info);
        }
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
            if (Volatile.Read(ref _disposed) != 0)
            {
                return false;
            }

            if (_time.GetElapsedTime(started) >= wait)
            {
                Volatile.Write(ref _isStuck, true);
                return false;
            }

            Libc.PollEntry entry = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollOut };
            _ = Libc.Poll(&entry, 1, SliceMilliseconds);
            var written = WriteSome(bytes.Span);
            if (written < 0)
            {
                return false;
            }

            lock (_gate)
            {
                NoteSent(written);
            }

            bytes = bytes[written..];
        }

        Volatile.Write(ref _isStuck, false);
        return true;
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        // An eventfd refuses a write only at its limit of 2^64 - 2 wake-ups.
        _ = Libc.Write(_wake, (byte*)&one, sizeof(ulong));
    }

    private unsafe bool HasInput()
    {
        Libc.PollEntry entry = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollIn };
        return Libc.Poll(&entry, 1, 0) > 0;
    }

    /// <summary>The kernel has taken bytes; they travel one after the other.</summary>
    private void NoteSent(int count)
    {
        if (count > 0)
        {
            _sent.Add(_time.GetTimestamp(), count);
        }
    }

    private unsafe void Run()
    {
        const int ChunkSize = 512;

        // Without it the kernel may wake us 50 us late on purpose; where it cannot be set, requests start that much later.
        _ = Libc.ProcessControl(Libc.SetTimerSlack, WakeUpSlackNanoseconds, 0, 0, 0);

        // A line does not wait for other programs. The thread works for microseconds at a time; without the right to it, it runs as any other.
        int priority = LowestRealTimePriority;
        _ = Libc.SetScheduler(0, Libc.FirstInFirstOut, &priority);
        var chunk = stackalloc byte[ChunkSize];
        var entries = stackalloc Libc.PollEntry[2];
        entries[0] = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollIn };
        entries[1] = new() { File = (int)_wake.DangerousGetHandle(), Events = Libc.PollIn };
        while (true)
        {
            var isDue = TimeUntilWrite(out var sleep);
            int ready;
            if (isDue)
            {
                // Bytes that came in the last moment go first.
                ready = Libc.Poll(entries, 1, 0);
                if (ready == 0)
                {
                    WriteOutgoing();
                    continue;
                }
            }
            else
            {
                ready = Libc.PrecisePoll(entries, 2, sleep);
            }

            if (ready < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted)
            {
                continue;
            }

            if (ready < 0 || Volatile.Read(ref _disposed) != 0)
            {
                break;
            }

            if (!isDue && entries[1].Happened != 0)
            {
                ulong wakes;
                _ = Libc.Read(_wake, (byte*)&wakes, sizeof(ulong));
            }

            if (ready == 0 || entries[0].Happened == 0)
            {
                continue;
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

    /// <summary>Whether a write is due now (after spinning for what is left of a moment); otherwise how long to sleep, negative for as long as nothing happens.</summary>
    private bool TimeUntilWrite(out TimeSpan sleep)
    {
        sleep = TimeSpan.FromTicks(-1);
        long due;
        lock (_gate)
        {
            if (!_isWriting)
            {
                return false;
            }

            due = _due;
        }

        var left = due - _time.GetTimestamp();
        if (left > _spin)
        {
            sleep = TimeSpan.FromSeconds((left - _spin) / (double)_time.TimestampFrequency);
            return false;
        }

        while (_time.GetTimestamp() < due)
        {
            Thread.SpinWait(8);
        }

        return true;
    }

    private void WriteOutgoing()
    {
        lock (_gate)
        {
            if (!_isWriting)
            {
                return;
            }

            var written = WriteSome(_outgoing.Span);
            NoteSent(written);
            StopWriting(written);
        }

        _writeDone.Queue();
    }

    private void StopWriting(int result)
    {
        _isWriting = false;
        _outgoing = default;
        _writeDone.Result = result;
    }

    private void Deliver(ReadOnlySpan<byte> bytes)
    {
        var (isReadDone, isWriteDone) = (false, false);
        lock (_gate)
        {
            _heardAt = _time.GetTimestamp();
            var isFirst = _count == 0;
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

            if (_isWriting)
            {
                StopWriting(IPacedLine.Heard);
                isWriteDone = true;
            }

            if (_waiting && _count >= _atLeast)
            {
                _readDone.Result = Take(_destination.Span);
                StopWaiting();
                isReadDone = true;
            }
            else if (_waiting && isFirst && _gap < _wait)
            {
                _timer.Change(WholeMilliseconds(_gap), Timeout.InfiniteTimeSpan);
            }
        }

        // The continuation belongs on the pool: the owner goes straight back to the line.
        if (isReadDone)
        {
            _readDone.Queue();
        }

        if (isWriteDone)
        {
            _writeDone.Queue();
        }
    }

    private void OnClosed()
    {
        var (isReadDone, isWriteDone) = (false, false);
        lock (_gate)
        {
            _closed = true;
            if (_isWriting)
            {
                StopWriting(-1);
                isWriteDone = true;
            }

            if (_waiting)
            {
                _readDone.Result = _count > 0 ? Take(_destination.Span) : -1;
                StopWaiting();
                isReadDone = true;
            }
        }

        if (isReadDone)
        {
            _readDone.Queue();
        }

        if (isWriteDone)
        {
            _writeDone.Queue();
        }
    }

    private void OnTimer()
    {
        int result;
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            // A tick may belong to an earlier read that ended as the timer fired, and bytes may have come since it was set.
            var left = _wait - _time.GetElapsedTime(_waitStarted);
            if (_count > 0)
            {
                var quiet = _gap - _time.GetElapsedTime(_heardAt);
                left = quiet < left ? quiet : left;
            }

            if (left > TimeSpan.Zero)
            {
                _timer.Change(WholeMilliseconds(left), Timeout.InfiniteTimeSpan);
                return;
            }

            result = _count > 0 ? Take(_destination.Span) : 0;
            StopWaiting();
        }

        _readDone.Complete(result);
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

        _readDone.Fail(new OperationCanceledException(_cancel));
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
