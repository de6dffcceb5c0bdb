using System.Globalization;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Plant;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>The physical side of a site: what its devices see, count and show, second by second, as a function of (seed, begin, time).</summary>
/// <remarks>
/// Thread-safe. It has no clock of its own: it stands still until somebody steps it, and <see cref="Advance"/> steps it by the time that
/// passed on the monotonic clock of the injected <see cref="TimeProvider"/>, so a wall clock that is set back does not stop the machines.
/// </remarks>
public sealed class SimulatedSite
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private readonly Grid _grid;
    private readonly SitePlant _plant;
    private readonly SimulatedDevice[] _devices;
    private readonly PointState[] _points;
    private readonly List<(SimulatedDevice Meter, SimulatedDevice? Parent, double Share)> _meters;
    private readonly List<ActiveFault> _active = [];
    private readonly List<ScriptedFault> _script = [];
    private long _second;
    private int _injections;

    /// <summary>Makes the site as it stands at the current second of <paramref name="time"/>.</summary>
    /// <param name="site">What stands at the site.</param>
    /// <param name="seed">The same seed, begin and time give the same values.</param>
    /// <param name="time">Where the begin comes from, and what <see cref="Advance"/> follows.</param>
    public SimulatedSite(SiteModel site, ulong seed, TimeProvider time)
    {
        Site = site;
        _time = time;
        _startTimestamp = time.GetTimestamp();
        Begin = new Instant(time.GetUtcNow().ToUnixTimeSeconds() * 1000);
        _second = Begin.UnixMilliseconds / 1000;
        _grid = new Grid(new Noise(seed, "grid"));
        _devices = new SimulatedDevice[site.Devices.Count];
        _points = new PointState[site.Points.Count];
        for (var i = 0; i < _devices.Length; i++)
        {
            _devices[i] = new SimulatedDevice(site, site.Devices[i], _grid, new Noise(seed, $"device {site.Devices[i].Id}")) { Phase = i % 3 };
            foreach (var point in _devices[i].Points)
            {
                _points[point.Model.Index] = point;
            }
        }

        _plant = new SitePlant(site, seed);
        _meters = _plant.Equip(_devices);
        foreach (var device in _devices)
        {
            device.BeginCounters();
        }

        // The first second is lived through but not counted, so that every gauge has a value at the begin and every counter its base.
        Tick(counting: false);
    }

    /// <summary>What stands at the site.</summary>
    public SiteModel Site { get; }

    /// <summary>The second in which the simulation began.</summary>
    public Instant Begin { get; }

    /// <summary>The second the physical model has reached.</summary>
    public Instant Now
    {
        get
        {
            lock (_lock)
            {
                return new(_second * 1000);
            }
        }
    }

    /// <summary>Steps to the time that has passed on the monotonic clock.</summary>
    public void Advance()
    {
        lock (_lock)
        {
            AdvanceLocked();
        }
    }

    /// <summary>Lives through every whole second up to <paramref name="to"/>; an instant in the past changes nothing.</summary>
    public void Step(Instant to)
    {
        lock (_lock)
        {
            StepLocked(to.UnixMilliseconds / 1000);
        }
    }

    /// <summary>What the model says about a point, faults included: for a gauge before it is cut to the register's resolution, for a counter its whole reading.</summary>
    /// <param name="point">Index of the point in the site's points.</param>
    public double Value(int point)
    {
        lock (_lock)
        {
            return DeviceOf(point).ValueOf(_points[point]);
        }
    }

    /// <summary>Moves the list of models of a SunSpec device to another base, as a new firmware may; other devices have none.</summary>
    /// <param name="device">Place of the device in the site.</param>
    /// <param name="address">Address of the marker: 40000, 0 or 50000.</param>
    public void MoveSunSpec(int device, int address)
    {
        lock (_lock)
        {
            _devices[device].MoveSunSpec(address);
        }
    }

    /// <summary>Puts the SunSpec model of <paramref name="next"/> behind that of <paramref name="device"/>: both are models of one unit.</summary>
    public void ChainSunSpec(int device, int next)
    {
        lock (_lock)
        {
            _devices[next].StandBehind(_devices[device]);
        }
    }

    /// <summary>Address from which a device's profile counts: that of its SunSpec model, 0 for other devices.</summary>
    public int FirstRegister(int device)
    {
        lock (_lock)
        {
            return _devices[device].FirstRegister;
        }
    }

    /// <summary>Copies the words of one point as its registers hold them now.</summary>
    /// <returns>Number of words.</returns>
    public int Words(int point, Span<ushort> words)
    {
        lock (_lock)
        {
            var source = DeviceOf(point).WordsOf(_points[point]);
            source.CopyTo(words);
            return source.Length;
        }
    }

    /// <summary>Reads registers, or bits as 0 and 1, of a device at its current second; false when one of the addresses does not exist. Allocates nothing.</summary>
    public bool TryRead(int device, RegisterTable table, int address, Span<ushort> words)
    {
        lock (_lock)
        {
            return _devices[device].TryRead(table, address, words);
        }
    }

    /// <summary>As <see cref="TryRead"/>, after <see cref="Advance"/>: what a server does for each request.</summary>
    public bool TryReadNow(int device, RegisterTable table, int address, Span<ushort> words)
    {
        lock (_lock)
        {
            AdvanceLocked();
            return _devices[device].TryRead(table, address, words);
        }
    }

    /// <summary>Writes registers, or bits as 0 and 1, that the device's profile declares writable; they keep the value. False when they are not whole writable points.</summary>
    public bool TryWrite(int device, RegisterTable table, int address, ReadOnlySpan<ushort> words)
    {
        lock (_lock)
        {
            return _devices[device].TryWrite(table, address, words);
        }
    }

    /// <summary>The simulator's own account of every counter at the current second.</summary>
    public IReadOnlyList<LedgerEntry> Ledger()
    {
        lock (_lock)
        {
            var entries = new List<LedgerEntry>();
            foreach (var point in _points)
            {
                if (point.Counter is not null)
                {
                    entries.Add(EntryOf(point));
                }
            }

            return entries;
        }
    }

    /// <summary>The account of one counter.</summary>
    /// <exception cref="ArgumentException">The point is not a counter.</exception>
    public LedgerEntry Ledger(int point)
    {
        lock (_lock)
        {
            return _points[point].Counter is null
                ? throw new ArgumentException($"Point '{_points[point].Model.Id}' is not a counter.", nameof(point))
                : EntryOf(_points[point]);
        }
    }

    /// <summary>Makes something go wrong from now on.</summary>
    /// <exception cref="ArgumentException">The device or the point does not exist, or has nothing that can fail in this way.</exception>
    public InjectedFault Inject(Fault fault)
    {
        lock (_lock)
        {
            return InjectLocked(fault);
        }
    }

    /// <summary>Ends a fault; one that has ended already changes nothing.</summary>
    public void Clear(InjectedFault fault)
    {
        lock (_lock)
        {
            if (_active.FindIndex(a => a.Injected.Id == fault.Id) is var at and >= 0)
            {
                End(at);
            }
        }
    }

    /// <summary>Ends every fault.</summary>
    public void ClearFaults()
    {
        lock (_lock)
        {
            while (_active.Count > 0)
            {
                End(_active.Count - 1);
            }
        }
    }

    /// <summary>The faults in force.</summary>
    public IReadOnlyList<InjectedFault> Faults()
    {
        lock (_lock)
        {
            return [.. _active.Select(static a => a.Injected)];
        }
    }

    /// <summary>Adds a script: its times count from the begin of the simulation, and what lies in the past happens in the next second.</summary>
    /// <exception cref="ArgumentException">A fault does not fit the site; nothing of the script is taken.</exception>
    public void Run(FaultScript script)
    {
        lock (_lock)
        {
            foreach (var scripted in script.Faults)
            {
                Check(scripted.Fault);
            }

            _script.AddRange(script.Faults);
            _script.Sort(static (a, b) => a.At.CompareTo(b.At));
        }
    }

    /// <summary>What is served, for people: a line for each device, with what stands behind it.</summary>
    public string Describe() => Describe(Site.Buses);

    /// <summary>As <see cref="Describe()"/>, with the buses where they really are.</summary>
    internal string Describe(IReadOnlyList<BusModel> buses)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Site.SiteName}: {_devices.Length} devices, {_points.Length} points");
        foreach (var device in _devices)
        {
            var bus = buses.FirstOrDefault(b => b.Id == device.Model.BusId);
            var place = bus switch
            {
                NetworkBus network => $"{network.Host}:{network.Port}",
                SerialBus serial => $"{serial.Port} {serial.Baud}",
                LocalBus => $"{device.Model.BusId} (inputs of a computer: simulated, not served)",
                _ => device.Model.BusId,
            };
            text.AppendLine(CultureInfo.InvariantCulture, $"  {device.Model.Id,-20} {place} unit {device.Model.Unit,-3} {device.Model.Profile.Id,-28} {device.Points.Count,3} points, {BehindOf(device)}");
        }

        return text.ToString();
    }

    internal WireState WireOf(int device)
    {
        lock (_lock)
        {
            AdvanceLocked();
            return _devices[device].Wire;
        }
    }

    /// <summary>Active energy of a device's meter in the current second by phase, in micro-watt-hours.</summary>
    internal long EnergyOfTick(int device, int phase) => _devices[device].Load.Active(phase);

    /// <summary>What the model takes a point's role for.</summary>
    internal Signal SignalOf(int point) => _points[point].Signal;

    private static string BehindOf(SimulatedDevice device) => device.Installation switch
    {
        Conveyor => "belt conveyor",
        Boiler => "boiler stack",
        Fan => "ventilation fan",
        Lighting => "lighting",
        Generator => "generator",
        _ => "mixed load",
    };

    private SimulatedDevice DeviceOf(int point) => _devices[_points[point].Model.DeviceIndex];

    private LedgerEntry EntryOf(PointState point)
    {
        var device = _devices[point.Model.DeviceIndex];
        var counter = point.Counter!;
        var grown = device.GrownOf(point);
        RegisterCodec.Decode(point.Model.Encoding, device.WordsOf(point), out _, out var raw);
        return new LedgerEntry(
            point.Model.Index,
            $"{device.Model.Id}.{point.Model.Id}",
            counter.InUnit(grown),
            counter.InUnit(counter.BaseQuanta + grown),
            RegisterCodec.ReadingOf(point.Model.Encoding, raw),
            raw);
    }

    private void AdvanceLocked() =>
        StepLocked((Begin.UnixMilliseconds / 1000) + (_time.GetElapsedTime(_startTimestamp).Ticks / TimeSpan.TicksPerSecond));

    private void StepLocked(long second)
    {
        while (_second < second)
        {
            _second++;
            if (_script.Count > 0 || _active.Count > 0)
            {
                TurnFaults();
            }

            Tick(counting: true);
        }
    }

    private void Tick(bool counting)
    {
        var local = DateTimeOffset.FromUnixTimeSeconds(_second) + Site.TimeZone.GetUtcOffset(DateTimeOffset.FromUnixTimeSeconds(_second));
        var now = new Moment(_second, _second - (Begin.UnixMilliseconds / 1000), local.TimeOfDay.TotalHours);
        _grid.Tick(now);
        foreach (var installation in _plant.Installations)
        {
            installation.Tick(now);
        }

        foreach (var (meter, _, share) in _meters)
        {
            meter.Load.Clear();
            if (meter.Installation is { } load)
            {
                Draw(meter, load, share, now);
            }
        }

        // Children come before their parents.
        foreach (var (meter, parent, _) in _meters)
        {
            parent?.Load.Add(meter.Load, parent.SinglePhase ? parent.Phase : null);
        }

        foreach (var device in _devices)
        {
            device.Tick(now, counting);
        }
    }

    // Three-phase loads are nearly balanced, the first phase a little heavier.
    private static void Draw(SimulatedDevice meter, Installation load, double share, in Moment now)
    {
        var watts = load.Watts * share;
        var factor = meter.Faults[FaultKind.PowerFactor] ?? load.PowerFactor;
        if (meter.SinglePhase)
        {
            meter.Load.Add(meter.Phase, watts, factor);
            return;
        }

        var tilt = 0.01 * Math.Sin(now.Second / 700.0);
        var skew = (meter.Faults[FaultKind.PhaseImbalance] ?? 0) / 3;
        Span<double> shares = [0.34 + tilt + skew, 0.33 - tilt - (skew / 2), 0.33 - (skew / 2)];
        if (meter.Faults[FaultKind.LostPhase] is { } lost)
        {
            shares.Fill(0.5);
            shares[(int)lost - 1] = 0;
        }

        for (var phase = 0; phase < shares.Length; phase++)
        {
            meter.Load.Add(phase, watts * shares[phase], factor);
        }
    }

    private void TurnFaults()
    {
        var now = new Instant(_second * 1000);
        for (var i = _active.Count - 1; i >= 0; i--)
        {
            if (_active[i].Until is { } until && now >= until)
            {
                End(i);
            }
        }

        while (_script.Count > 0 && Begin + _script[0].At <= now)
        {
            var fault = _script[0].Fault;
            _script.RemoveAt(0);
            InjectLocked(fault);
        }
    }

    private InjectedFault InjectLocked(Fault fault)
    {
        var (device, point) = Check(fault);
        var injected = new InjectedFault(++_injections, fault);
        Instant? until = fault.Duration is { } duration ? new Instant(_second * 1000) + duration : null;
        // A reset is over as soon as it has happened; so are a swap without a silence and a jump without an end.
        if (fault.Kind != FaultKind.CounterReset && (fault.Kind is not (FaultKind.MeterSwap or FaultKind.CounterOffset) || until is not null))
        {
            _active.Add(new ActiveFault(injected, device, point, until));
        }

        Affected(device, point).ForEach(p => Act(fault, device, p));
        switch (fault.Kind)
        {
            case FaultKind.CounterReset:
                device.ResetCounters(point);
                break;
            case FaultKind.MeterSwap:
                device.Swap();
                break;
        }

        SetPlant(device);
        return injected;
    }

    private static void Act(Fault fault, SimulatedDevice device, PointState point)
    {
        if (fault.Kind == FaultKind.StuckSensor)
        {
            device.Freeze(point);
        }
        else if (fault.Kind == FaultKind.NoiseSpike && point.Counter is null)
        {
            device.Spike(point, fault.Strength);
        }
        else if (fault.Kind == FaultKind.CounterOffset)
        {
            device.Displace(point, fault.Strength);
        }
        else if (IsOfSensor(fault.Kind))
        {
            device.Distort(point, fault);
        }
    }

    private static bool IsOfSensor(FaultKind kind) => kind is >= FaultKind.Gain and <= FaultKind.Contact;

    private void End(int index)
    {
        var (injected, device, point, _) = _active[index];
        _active.RemoveAt(index);
        foreach (var affected in Affected(device, point))
        {
            if (injected.Fault.Kind == FaultKind.StuckSensor)
            {
                device.Release(affected);
            }
            else if (injected.Fault.Kind == FaultKind.NoiseSpike)
            {
                device.Spike(affected, 1);
            }
            else if (injected.Fault.Kind == FaultKind.CounterOffset)
            {
                device.Displace(affected, -injected.Fault.Strength);
            }
            else if (IsOfSensor(injected.Fault.Kind))
            {
                device.Restore(affected, injected.Fault);
            }
        }

        SetPlant(device);
    }

    private static List<PointState> Affected(SimulatedDevice device, PointState? point) => point is null ? [.. device.Points] : [point];

    // Several faults may be in force for one device: what they do to the wire and to the belt is put together anew.
    private void SetPlant(SimulatedDevice device)
    {
        var wire = default(WireState);
        foreach (var (injected, faulty, _, _) in _active)
        {
            if (faulty == device)
            {
                wire = With(wire, injected.Fault);
            }
        }

        device.Wire = wire;
        _grid.Faults.Clear();
        device.Faults.Clear();
        device.Installation?.Faults.Clear();
        foreach (var (injected, faulty, _, _) in _active)
        {
            var fault = injected.Fault;
            if (fault.Kind == FaultKind.SupplyVoltage)
            {
                _grid.Faults[fault.Kind] = fault.Strength;
            }
            else if (IsOfMeter(fault.Kind) && faulty == device)
            {
                device.Faults[fault.Kind] = fault.Strength;
            }
            else if (Installed(fault.Kind) is not null && faulty.Installation == device.Installation)
            {
                device.Installation!.Faults[fault.Kind] = fault.Strength;
            }
        }
    }

    private static bool IsOfMeter(FaultKind kind) => kind is (>= FaultKind.EnergyLoss and <= FaultKind.PowerFactor) or (>= FaultKind.MissedCalibration and <= FaultKind.AnalyserMaintenance);

    /// <summary>What must stand behind a device for a fault of the plant, and how to say that it does not; null for other faults.</summary>
    private static (Type Kind, string Lacks)? Installed(FaultKind kind) => kind switch
    {
        FaultKind.BeltSlip => (typeof(Conveyor), "belt that could slip"),
        >= FaultKind.BeltDrag and <= FaultKind.BeltStop => (typeof(Conveyor), "belt"),
        FaultKind.CoolingFailure => (typeof(Transformer), "transformer"),
        FaultKind.AirLeak or (>= FaultKind.BoilerStop and <= FaultKind.CleaningFailure) => (typeof(Boiler), "stack"),
        FaultKind.MethaneInflow or FaultKind.CarbonMonoxideSource or FaultKind.FanStop => (typeof(Fan), "fan"),
        _ => null,
    };

    private static WireState With(WireState wire, Fault fault) => fault.Kind switch
    {
        FaultKind.DeadMeter => wire with { Faults = wire.Faults | WireFaults.Silent },
        FaultKind.MeterSwap when fault.Duration is not null => wire with { Faults = wire.Faults | WireFaults.Silent },
        FaultKind.CrcError => wire with { Faults = wire.Faults | WireFaults.WrongCheckSum },
        FaultKind.WrongTransaction => wire with { Faults = wire.Faults | WireFaults.WrongTransaction },
        FaultKind.SlowDevice or FaultKind.LateReply => wire with { Delay = TimeSpan.FromSeconds(Math.Max(wire.Delay.TotalSeconds, fault.Strength)) },
        FaultKind.ExceptionReply => wire with { ExceptionCode = (byte)Math.Clamp(fault.Strength, 1, 255) },
        _ => wire,
    };

    private (SimulatedDevice Device, PointState? Point) Check(Fault fault)
    {
        var device = Array.Find(_devices, d => d.Model.Id == fault.Device)
            ?? throw new ArgumentException($"There is no device '{fault.Device}' at this site; it has {string.Join(", ", _devices.Select(static d => d.Model.Id))}.", nameof(fault));
        var point = fault.Point is null
            ? null
            : device.Find(fault.Point) ?? throw new ArgumentException($"Device '{fault.Device}' has no point '{fault.Point}'.", nameof(fault));
        if (Installed(fault.Kind) is { } needed && device.Installation?.GetType() != needed.Kind)
        {
            throw new ArgumentException($"Device '{fault.Device}' has no {needed.Lacks}.", nameof(fault));
        }

        if ((fault.Kind == FaultKind.CounterReset && point is { Counter: null }) || (fault.Kind == FaultKind.CounterOffset && point?.Counter is null))
        {
            throw new ArgumentException($"Point '{fault.Device}.{fault.Point}' is not a counter.", nameof(fault));
        }

        if (IsOfSensor(fault.Kind) && (point is null || point.Counter is not null || point.Model.Kind == PointKind.Text))
        {
            throw new ArgumentException($"A fault of the kind {fault.Kind} needs a point of '{fault.Device}' that is a gauge or a state.", nameof(fault));
        }

        if (fault.Kind is >= FaultKind.MissedCalibration and <= FaultKind.AnalyserMaintenance && !device.HasCalibrations)
        {
            throw new ArgumentException($"Device '{fault.Device}' has no analyser that the site's 'cems' block describes with a status.", nameof(fault));
        }

        if (fault.Kind == FaultKind.Contact && PointState.FlagBit(point!.Model) is null)
        {
            throw new ArgumentException($"The gateway watches no flag of '{fault.Device}.{fault.Point}'.", nameof(fault));
        }

        if ((fault.Kind == FaultKind.LostPhase && fault.Strength is not (1 or 2 or 3)) || (fault.Kind == FaultKind.PowerFactor && fault.Strength is not (> 0 and <= 1)))
        {
            throw new ArgumentException($"The magnitude {fault.Strength} of the fault at '{fault.Device}' is not possible: a phase is 1, 2 or 3, a power factor above 0 and at most 1.", nameof(fault));
        }

        return (device, point);
    }

    private sealed record ActiveFault(InjectedFault Injected, SimulatedDevice Device, PointState? Point, Instant? Until);
}
