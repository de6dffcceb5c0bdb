using System.Buffers.Text;
using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Box;

/// <summary>The health of this computer, from what the kernel shows. Descriptors are kept; a reading allocates nothing.</summary>
/// <remarks>
/// What the kernel does not show has no value, and that is no fault: a computer without eMMC has no wear of one. What it showed and shows no more is one, and is said.
/// Places that were not found are looked for again after <see cref="LookAgain"/>: drivers are loaded late, and sensors are plugged.
/// </remarks>
internal sealed class BoxHealth : ImageBus
{
    /// <summary>How long a place that was not found is left alone.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(10);

    private const int SectorBytes = 512;
    private const int WrittenSectors = 6;
    private const byte NotThere = 2;
    private const int UrgentReserve = 3;
    private const int WornOut = 11;

    private readonly BoxBus _model;
    private readonly TimeProvider _time;
    private readonly IClockSource _clock;
    private readonly BoxPlaces _places;
    private readonly KernelFile _throttled;
    private readonly KernelFile _memory;
    private readonly KernelFile _load;
    private readonly KernelFile _uptime;
    private readonly Found _temperature;
    private readonly Found _underVoltage;
    private readonly Found _written;
    private readonly Found _wear;
    private readonly Found _reserve;
    private readonly Found _watchdog;
    private readonly bool[] _shown = new bool[BoxBus.Everything.Count];
    private readonly string?[] _lost = new string?[BoxBus.Everything.Count];
    private DriveInfo? _drive;
    private (DateTimeOffset Wall, long Stamp)? _last;

    /// <summary>Nothing is opened before the first read.</summary>
    /// <param name="model">The bus.</param>
    /// <param name="time">Clock; its wall time is watched for steps.</param>
    /// <param name="log">Told of what is shown no more.</param>
    /// <param name="clock">Whom to ask about the wall clock; null for the kernel.</param>
    public BoxHealth(BoxBus model, TimeProvider time, ILogger log, IClockSource? clock = null)
        : base(model, log)
    {
        (_model, _time, _clock) = (model, time, clock ?? new KernelClock());
        var places = _places = new BoxPlaces(model.Root);
        _throttled = new KernelFile(places.Throttled);
        _memory = new KernelFile(places.At("proc/meminfo"));
        _load = new KernelFile(places.At("proc/loadavg"));
        _uptime = new KernelFile(places.At("proc/uptime"));
        _temperature = new Found(time, () => places.Temperature(model.TemperatureSensor));
        _underVoltage = new Found(time, places.UnderVoltage);
        _written = new Found(time, () => OnDisk("stat"));
        _wear = new Found(time, () => OnDisk("device/life_time"));
        _reserve = new Found(time, () => OnDisk("device/pre_eol_info"));
        _watchdog = new Found(time, () => places.BootStatus() is [var first, ..] ? first : null);
    }

    /// <summary>What this computer does not show, with the reason: for commands, which look once.</summary>
    public static IReadOnlyList<(BoxInput Input, string Why)> NotShown(BoxBus model)
    {
        var box = new BoxHealth(model, TimeProvider.System, NullLogger.Instance);
        try
        {
            return [.. box.NotShown()];
        }
        finally
        {
            box.Close();
        }
    }

    /// <inheritdoc cref="NotShown(BoxBus)"/>
    public IEnumerable<(BoxInput Input, string Why)> NotShown()
    {
        var block = new ushort[LocalInput.BlockLength];
        foreach (var input in _model.Inputs.Cast<BoxInput>())
        {
            input.Layout.Clear(block);
            if (!Refresh(input, block))
            {
                yield return (input, WhyNot(input.Subject));
            }
        }
    }

    /// <inheritdoc/>
    protected override ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel)
    {
        var box = (BoxInput)input;
        var at = box.Number - 1;
        if (Refresh(box, block.Span))
        {
            (_shown[at], _lost[at]) = (true, null);
            return ValueTask.FromResult<(BusReply, string?)>((BusReply.Good, null));
        }

        if (_shown[at])
        {
            _lost[at] ??= $"it was shown before, and is no more: {WhyNot(box.Subject)}";
        }

        return ValueTask.FromResult((new BusReply(QualityReason.DeviceException, NotThere), _lost[at]));
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private void Close()
    {
        foreach (var file in (KernelFile[])[_throttled, _memory, _load, _uptime])
        {
            file.Dispose();
        }

        foreach (var found in (Found[])[_temperature, _underVoltage, _written, _wear, _reserve, _watchdog])
        {
            found.Dispose();
        }
    }

    /// <summary>Puts what is shown into a block, in which all says "not available".</summary>
    /// <returns>Whether there was anything.</returns>
    private bool Refresh(BoxInput input, Span<ushort> block) => input.Subject switch
    {
        BoxSubject.Temperature => Temperature(input.Layout, block),
        BoxSubject.Power => Power(input.Layout, block),
        BoxSubject.Storage => Storage(input.Layout, block),
        BoxSubject.Memory => Memory(input.Layout, block),
        BoxSubject.Clock => Clock(input.Layout, block),
        BoxSubject.Card => Card(input.Layout, block),
        _ => Operation(input.Layout, block),
    };

    private bool Temperature(ImageLayout layout, Span<ushort> block)
    {
        if (!_temperature.TryRead(out var thousandths))
        {
            return false;
        }

        layout.Put(block, BoxInput.Processor, thousandths / 1000.0);
        return true;
    }

    private bool Power(ImageLayout layout, Span<ushort> block)
    {
        // Hexadecimal, without anything that says so.
        Span<byte> buffer = stackalloc byte[32];
        var isThrottled = Utf8Parser.TryParse(_throttled.Read(buffer), out uint flags, out _, 'X');
        if (isThrottled)
        {
            layout.Put(block, BoxInput.Throttled, (long)flags);
        }

        if (_underVoltage.TryRead(out var alarm))
        {
            layout.Put(block, BoxInput.UnderVoltage, alarm);
            return true;
        }

        return isThrottled;
    }

    private bool Storage(ImageLayout layout, Span<ushort> block)
    {
        var isShown = false;
        try
        {
            var drive = _drive ??= new DriveInfo(Existing(_model.Disk ?? "/"));
            var (free, inUse) = (drive.AvailableFreeSpace, drive.TotalSize - drive.TotalFreeSpace);
            if (free + inUse > 0)
            {
                layout.Put(block, BoxInput.Used, 100.0 * inUse / (free + inUse));
                layout.Put(block, BoxInput.Free, (double)free);
                isShown = true;
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // Unmounted: found again when it is back.
            _drive = null;
        }

        Span<byte> buffer = stackalloc byte[256];
        if (KernelFile.TryParse(KernelFile.Word(_written.Read(buffer), WrittenSectors), out var sectors))
        {
            layout.Put(block, BoxInput.Written, sectors * SectorBytes);
            isShown = true;
        }

        return isShown;
    }

    private bool Memory(ImageLayout layout, Span<ushort> block)
    {
        Span<byte> buffer = stackalloc byte[512];
        var text = _memory.Read(buffer);
        if (Kilobytes(text, "MemTotal:"u8) is not (> 0 and var total) || Kilobytes(text, "MemAvailable:"u8) is not { } available)
        {
            return false;
        }

        layout.Put(block, BoxInput.Used, 100.0 * (total - available) / total);
        layout.Put(block, BoxInput.Free, available * 1024.0);
        return true;
    }

    private bool Clock(ImageLayout layout, Span<ushort> block)
    {
        var now = (Wall: _time.GetUtcNow(), Stamp: _time.GetTimestamp());
        if (_last is { } last)
        {
            layout.Put(block, BoxInput.Step, Math.Round(((now.Wall - last.Wall) - _time.GetElapsedTime(last.Stamp, now.Stamp)).TotalSeconds, 3));
        }

        var isFirst = _last is null;
        _last = now;
        var facts = _clock.Read();
        if (facts.IsRefused)
        {
            return !isFirst;
        }

        layout.Put(block, BoxInput.Synchronised, facts.IsSynchronised ? 1 : 0);
        layout.Put(block, BoxInput.MaximumError, facts.MaximumError?.TotalSeconds ?? double.NaN);
        layout.Put(block, BoxInput.Offset, facts.Offset?.TotalSeconds ?? double.NaN);
        return true;
    }

    private bool Card(ImageLayout layout, Span<ushort> block)
    {
        Span<byte> buffer = stackalloc byte[64];
        var text = _wear.Read(buffer);
        var isShown = Wear(layout, block, BoxInput.WearA, KernelFile.Word(text, 0)) | Wear(layout, block, BoxInput.WearB, KernelFile.Word(text, 1));

        // JESD84-B51, PRE_EOL_INFO: 0 not defined, 1 normal, 2 80 % of the reserve used, 3 urgent.
        if (_reserve.TryRead(out var info) && info is >= 1 and <= UrgentReserve)
        {
            layout.Put(block, BoxInput.Reserve, (info >= 2 ? 1 : 0) | (info >= UrgentReserve ? 2 : 0));
            return true;
        }

        return isShown;
    }

    private bool Operation(ImageLayout layout, Span<ushort> block)
    {
        Span<byte> buffer = stackalloc byte[128];
        var isShown = false;
        if (Utf8Parser.TryParse(KernelFile.Word(_load.Read(buffer), 1), out double load, out _))
        {
            layout.Put(block, BoxInput.Load, 100 * load / Environment.ProcessorCount);
            isShown = true;
        }

        if (Utf8Parser.TryParse(KernelFile.Word(_uptime.Read(buffer), 0), out double uptime, out _))
        {
            layout.Put(block, BoxInput.Uptime, (long)uptime);
            isShown = true;
        }

        if (_watchdog.TryRead(out var status))
        {
            layout.Put(block, BoxInput.BootStatus, status);
            isShown = true;
        }

        return isShown;
    }

    // DEVICE_LIFE_TIME_EST: n stands for at most 10 n %, 11 for more than the life that was estimated.
    private static bool Wear(ImageLayout layout, Span<ushort> block, string field, ReadOnlySpan<byte> word)
    {
        if (!KernelFile.TryParse(word, out var tenths) || tenths is < 1 or > WornOut)
        {
            return false;
        }

        layout.Put(block, field, 10 * tenths);
        return true;
    }

    private static long? Kilobytes(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        var at = text.IndexOf(name);
        return at >= 0 && KernelFile.TryParse(KernelFile.Word(text[(at + name.Length)..], 0), out var kilobytes) ? kilobytes : null;
    }

    /// <summary>The nearest directory above that is there: the store's may not have been made yet.</summary>
    internal static string Existing(string directory)
    {
        while (!Directory.Exists(directory) && Path.GetDirectoryName(directory) is { } parent)
        {
            directory = parent;
        }

        return directory;
    }

    private string? OnDisk(string file) => _places.DiskOf(_model.Disk ?? "/") is { } disk && Path.Combine(disk, file) is var path && File.Exists(path) ? path : null;

    private string WhyNot(BoxSubject subject) => subject switch
    {
        BoxSubject.Temperature when _temperature.Problem is { } problem => $"the sensor cannot be read ({problem})",
        BoxSubject.Temperature when _model.TemperatureSensor is { } sensor => $"there is no sensor '{sensor}'; {Sensors()}",
        BoxSubject.Temperature => $"no sensor is known to be the processor's; {Sensors()}",
        BoxSubject.Power => "the kernel shows neither get_throttled nor rpi_volt: this is no Raspberry Pi, or its firmware drivers are missing",
        BoxSubject.Storage => $"the file system of {_model.Disk} cannot be asked",
        BoxSubject.Memory => "/proc/meminfo cannot be read",
        BoxSubject.Clock => "the kernel may not be asked about the clock: edgegateway-clock.service asks for the gateway, `systemctl status edgegateway-clock` says why it does not",
        BoxSubject.Card => $"{(_places.DiskOf(_model.Disk ?? "/") is { } disk ? $"the disk {Path.GetFileName(disk)}" : "what the store is on")} shows no life_time: only eMMC of version 5.0 and newer does",
        _ => "/proc/loadavg and /proc/uptime cannot be read",
    };

    private string Sensors() => _places.Temperatures() is { Count: > 0 } sensors ? $"name one as 'temperature': {string.Join(", ", sensors)}" : "the computer shows none (virtual machines do not)";

    /// <summary>A file that has to be found first.</summary>
    private sealed class Found(TimeProvider time, Func<string?> find) : IDisposable
    {
        private KernelFile? _file;
        private long? _lookedAt;

        /// <summary>Why the last read failed; null when nothing was found.</summary>
        public string? Problem => _file?.Problem;

        public ReadOnlySpan<byte> Read(Span<byte> buffer)
        {
            var text = _file is null ? [] : _file.Read(buffer);
            if (!text.IsEmpty || (_lookedAt is { } before && time.GetElapsedTime(before) < LookAgain))
            {
                return text;
            }

            // Numbers of devices change when they come back.
            _lookedAt = time.GetTimestamp();
            if (find() is { } path && path != _file?.Path)
            {
                _file?.Dispose();
                _file = new KernelFile(path);
            }

            return _file is null ? [] : _file.Read(buffer);
        }

        public bool TryRead(out long number)
        {
            Span<byte> buffer = stackalloc byte[64];
            return KernelFile.TryParse(Read(buffer), out number);
        }

        public void Dispose() => _file?.Dispose();
    }
}
