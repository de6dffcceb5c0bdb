using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Plant;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>One device: its points, what they see of the plant, and the registers they are shown in.</summary>
internal sealed class SimulatedDevice
{
    /// <summary>Resistance of a symmetric supply: phase to phase is this times phase to neutral.</summary>
    private static readonly double Root3 = Math.Sqrt(3);

    private readonly PointState[] _points;
    private readonly RegisterImage _image;
    private readonly SunSpecList? _sunSpec;
    private readonly HashSet<string> _held = [];
    private readonly List<(RegisterEncoding Type, ulong Raw)> _typesInTexts = [];
    private readonly Grid _grid;
    private readonly Noise _noise;
    private readonly AnalyserCycle? _cycle;
    private readonly double _nominalVolts;
    private bool _fresh;
    private int _swaps;
    private long _grams;
    private long _litres;
    private long _runSeconds;
    private long _seconds;
    private long _now;

    public SimulatedDevice(SiteModel site, DeviceModel model, Grid grid, Noise noise)
    {
        Model = model;
        _grid = grid;
        _noise = noise;
        _cycle = AnalyserCycle.Of(model);
        _points = new PointState[model.Points.Count];
        for (var i = 0; i < _points.Length; i++)
        {
            var point = site.Points[model.Points[i]];
            var signal = LoadDevice.Owns(model.Profile) ? LoadDevice.SignalOf(point) : RoleSignals.Resolve(model.Profile.Kind, point);
            _points[i] = new PointState(point, signal);
        }

        SinglePhase = !_points.Any(static p => p.Signal.Phase > 1);
        // Medium voltage is measured behind transformers with a secondary of 100 V between phases.
        _nominalVolts = model.PtRatio == 1 ? 230 : 100 / Root3 * (double)model.PtRatio;
        _image = new RegisterImage(
            [
                .. _points.Select(static p => p.Model.Encoding),
                .. model.Profile.Identify.Select(static i => i.Encoding),
                .. model.Writables.Select(static w => w.Encoding),
                .. model.Writables.Select(static w => w.ReadBack),
            ],
            model.Profile.MayReadGaps);
        foreach (var point in _points)
        {
            if (point.Model.Encoding.ScaleAt is not null)
            {
                RegisterCodec.EncodeRaw(point.Model.Encoding, RegisterCodec.RawOfSteps(point.Model.Encoding, 0, PointState.PowerOf(point.Model)), _image.At(point.Model.Encoding));
            }
        }

        Identify();
        _sunSpec = model.Profile.SunSpec is { } sunSpec ? new SunSpecList(model.Profile, sunSpec) : null;
        SerialNumber = (noise.Bits(0) % 900_000) + 100_000;
    }

    public DeviceModel Model { get; }

    /// <summary>True when no point names the second or third phase.</summary>
    public bool SinglePhase { get; }

    /// <summary>The phase a single-phase device hangs on, 0 to 2.</summary>
    public int Phase { get; init; }

    /// <summary>What the device meters, moves or watches; null for a meter that only sums what is behind it.</summary>
    public Installation? Installation { get; set; }

    public MeterLoad Load { get; } = new();

    /// <summary>Whether it is an analyser that is calibrated and says so.</summary>
    public bool HasCalibrations => _cycle is not null;

    /// <summary>What is wrong with the meter or with what hangs on it.</summary>
    public FaultSet Faults { get; } = new();

    /// <summary>1 or -1: a meter wired the wrong way round shows its power and its energies mirrored.</summary>
    public int Direction => Model.Metering is { Reversed: true } ? -1 : 1;

    public WireState Wire { get; set; }

    public ulong SerialNumber { get; private set; }

    public IReadOnlyList<PointState> Points => _points;

    /// <summary>Finds a point by its id.</summary>
    public PointState? Find(string id) => Array.Find(_points, p => p.Model.Id == id);

    /// <summary>Sets the readings the counters begin with; energy totals begin with the sum of their phases.</summary>
    public void BeginCounters()
    {
        foreach (var point in _points)
        {
            if (point.Counter is { } counter)
            {
                counter.BaseQuanta = BaseOf(point.Signal);
            }
        }
    }

    /// <summary>Comes to the second <paramref name="now"/> and, if told so, counts what happened in it.</summary>
    public void Tick(in Moment now, bool counting)
    {
        _now = now.Second;
        _fresh = false;
        if (!counting)
        {
            return;
        }

        Load.Count(Faults[FaultKind.EnergyLoss] ?? 0);
        _seconds++;
        _grams += (Installation as Conveyor)?.Grams ?? 0;
        _litres += (Installation as Boiler)?.Litres ?? 0;
        _runSeconds += Installation is { Running: true } ? 1 : 0;
    }

    /// <summary>Reads registers (or bits as 0 and 1) as they stand now; false when an address does not exist.</summary>
    public bool TryRead(RegisterTable table, int address, Span<ushort> words)
    {
        Encode();
        return _sunSpec is { } map ? map.TryRead(table, address, words, _image) : _image.TryRead(table, address, words);
    }

    /// <summary>Follows the SunSpec model of another device in the same list.</summary>
    public void StandBehind(SimulatedDevice first)
    {
        if (_sunSpec is not null && first._sunSpec is not null)
        {
            _sunSpec.Previous = first._sunSpec;
            first._sunSpec.IsLast = false;
        }
    }

    /// <summary>Address from which the profile counts.</summary>
    public int FirstRegister => _sunSpec?.Model ?? 0;

    /// <summary>Moves the SunSpec list to another base, as a new firmware may do; nothing for other devices.</summary>
    public void MoveSunSpec(int toBase)
    {
        if (_sunSpec is not null)
        {
            _sunSpec.Base = toBase;
        }
    }

    /// <summary>Writes whole writable points; what shows their effect follows. False when the addresses are anything else.</summary>
    public bool TryWrite(RegisterTable table, int address, ReadOnlySpan<ushort> words)
    {
        var end = address + words.Length;
        var covered = 0;
        foreach (var point in Model.Writables)
        {
            var span = point.Encoding.Span;
            if (point.Encoding.Table == table && span.First >= address && span.End <= end)
            {
                covered += span.Length;
            }
        }

        if (covered != words.Length)
        {
            return false;
        }

        Encode();
        foreach (var point in Model.Writables)
        {
            var span = point.Encoding.Span;
            if (point.Encoding.Table != table || span.First < address || span.End > end)
            {
                continue;
            }

            words.Slice(span.First - address, span.Length).CopyTo(_image.At(point.Encoding));
            Hold(point.Id, point.Encoding);
            if (point.ReadBackId != point.Id && RegisterCodec.Decode(point.Encoding, _image.At(point.Encoding), out var value, out _) == DecodeStatus.Ok)
            {
                RegisterCodec.Encode(point.ReadBack, value, _image.At(point.ReadBack));
                Hold(point.ReadBackId, point.ReadBack);
            }
        }

        return true;
    }

    /// <summary>The words of one point as they stand now.</summary>
    public ReadOnlySpan<ushort> WordsOf(PointState point)
    {
        Encode();
        return _image.At(point.Model.Encoding);
    }

    /// <summary>What the model says a gauge or a state is, faults included, before it is cut to the register's resolution.</summary>
    public double ValueOf(PointState point)
    {
        Encode();
        return point.Value;
    }

    public long GrownOf(PointState point) => Grown(point.Signal);

    /// <summary>Keeps what the point shows until released.</summary>
    public void Freeze(PointState point)
    {
        Encode();
        point.FrozenBy++;
    }

    /// <summary>Lets the point follow the plant again.</summary>
    public void Release(PointState point)
    {
        point.FrozenBy--;
        _fresh = false;
    }

    /// <summary>Multiplies a gauge while the fault lasts; 1 ends it.</summary>
    public void Spike(PointState point, double factor)
    {
        point.SpikeFactor = factor;
        _fresh = false;
    }

    /// <summary>Lets a sensor show something else than it sees from now on.</summary>
    public void Distort(PointState point, Fault fault)
    {
        point.Distortions.Add((fault, _now));
        _fresh = false;
    }

    /// <summary>Lets a sensor show what it sees again.</summary>
    public void Restore(PointState point, Fault fault)
    {
        point.Distortions.RemoveAll(d => ReferenceEquals(d.Fault, fault));
        _fresh = false;
    }

    /// <summary>Moves what a counter shows by some units.</summary>
    public void Displace(PointState point, double units)
    {
        point.Counter!.BaseQuanta += point.Counter.Quanta(units);
        _fresh = false;
    }

    /// <summary>Sets one counter, or all of them, to zero.</summary>
    public void ResetCounters(PointState? only)
    {
        foreach (var point in _points)
        {
            if (point.Counter is { } counter && (only is null || only == point))
            {
                counter.BaseQuanta = -Grown(point.Signal);
            }
        }

        _fresh = false;
    }

    /// <summary>Puts another meter in place: other readings and another serial number.</summary>
    public void Swap()
    {
        _swaps++;
        SerialNumber = (_noise.Bits(_swaps) % 900_000) + 100_000;
        foreach (var point in _points)
        {
            if (point.Counter is { } counter)
            {
                counter.BaseQuanta = BaseOf(point.Signal) - Grown(point.Signal);
            }
        }

        _fresh = false;
    }

    // What was written stays, whatever the plant does.
    private void Hold(string id, RegisterEncoding encoding)
    {
        if (Find(id) is { } point)
        {
            RegisterCodec.Decode(encoding, _image.At(encoding), out var value, out _);
            point.Value = value;
            point.FrozenBy += _held.Add(id) ? 1 : 0;
        }
    }

    private void Encode()
    {
        if (_fresh)
        {
            return;
        }

        foreach (var point in _points)
        {
            if (point.FrozenBy > 0)
            {
                continue;
            }

            var words = _image.At(point.Model.Encoding);
            if (point.Model.Kind == PointKind.Text)
            {
                WriteText(point.Model, words);
            }
            else if (point.Counter is { } counter)
            {
                var quanta = counter.BaseQuanta + Grown(point.Signal);
                point.Value = (double)counter.InUnit(quanta);
                RegisterCodec.EncodeRaw(point.Model.Encoding, counter.RawOf(quanta), words);
            }
            else
            {
                point.Value = point.Distort(point.Fit(Measure(point), (_now & 1) == 0 ? point.SpikeFactor : 1), _now);
                RegisterCodec.Encode(point.Model.Encoding, point.Value, words);
            }
        }

        // A type register inside a text: the text gives way.
        foreach (var (encoding, raw) in _typesInTexts)
        {
            RegisterCodec.EncodeRaw(encoding, raw, _image.At(encoding));
        }

        _fresh = true;
    }

    // A serial number as the number that numeric registers show; of everything else the point's own name, as far as it fits.
    private void WriteText(PointModel point, Span<ushort> words)
    {
        var text = point.Role.Contains("serial", StringComparison.Ordinal)
            ? SerialNumber.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : $"{Model.Profile.Vendor} {point.Id}";
        text = string.Concat(text.Where(char.IsAscii));
        RegisterText.Encode(point.Encoding, text[..Math.Min(text.Length, 2 * point.Encoding.Length)], words);
    }

    // Answers the profile's own question for the type of the device with the first right answer.
    private void Identify()
    {
        foreach (var probe in Model.Profile.Identify)
        {
            if (probe.AnyOf.Count == 0)
            {
                if ((probe.Min ?? probe.Max) is { } right)
                {
                    if (probe.Point is null)
                    {
                        RegisterCodec.Encode(probe.Encoding, right, _image.At(probe.Encoding));
                        KeepInTexts(probe.Encoding);
                    }
                    else if (Find(probe.Point) is { Model.Kind: PointKind.State } setting && (setting.Value < probe.Min || setting.Value > probe.Max))
                    {
                        // A device that is set up as its profile wants it.
                        RegisterCodec.Encode(probe.Encoding, right, _image.At(probe.Encoding));
                        setting.Value = right;
                        setting.FrozenBy++;
                    }
                }

                continue;
            }

            RegisterCodec.EncodeRaw(probe.Encoding, probe.AnyOf.Keys.Min(), _image.At(probe.Encoding));
            KeepInTexts(probe.Encoding);
            if (probe.Point is { } id && Find(id) is { } point)
            {
                // What names the type never changes.
                RegisterCodec.Decode(probe.Encoding, _image.At(probe.Encoding), out var value, out _);
                point.Value = value;
                point.FrozenBy++;
            }
        }
    }

    private void KeepInTexts(RegisterEncoding type)
    {
        if (_points.Any(p => p.Model.Kind == PointKind.Text && p.Model.Encoding.Table == type.Table && p.Model.Encoding.Span.First < type.Span.End && type.Span.First < p.Model.Encoding.Span.End))
        {
            RegisterCodec.Decode(type, _image.At(type), out _, out var raw);
            _typesInTexts.Add((type, raw));
        }
    }

    // A thousand units and some, different for each device and register, as a meter has that has been in service for a while; a float32
    // still shows steps of an eighth of a watt-hour there.
    private long BaseOf(Signal signal)
    {
        if (SinglePhase)
        {
            signal = signal with { Phase = 0 };
        }

        if (signal.Phase == 0 && !SinglePhase && signal.Quantity is >= Quantity.ActiveEnergyImport and <= Quantity.ApparentEnergy)
        {
            return BaseOf(signal with { Phase = 1 }) + BaseOf(signal with { Phase = 2 }) + BaseOf(signal with { Phase = 3 });
        }

        return signal.Quantity switch
        {
            Quantity.ActiveEnergyTotal => BaseOf(signal with { Quantity = Quantity.ActiveEnergyImport }) + BaseOf(signal with { Quantity = Quantity.ActiveEnergyExport }),
            Quantity.ReactiveEnergyTotal => BaseOf(signal with { Quantity = Quantity.ReactiveEnergyImport }) + BaseOf(signal with { Quantity = Quantity.ReactiveEnergyExport }),
            Quantity.ActiveEnergyExport or Quantity.ReactiveEnergyExport => 0,
            Quantity.MassTotal => Start(1_000, 1_000_000),
            Quantity.GasTotal => Start(1_000, 1_000),
            Quantity.RunTime => Start(1_000, 3_600),
            Quantity.NeutralCounter => Start(1_000, 1_000),
            _ => Start(1_000, 1_000_000_000),
        };

        long Start(int units, long quantaPerUnit) =>
            (units + (long)(_noise.Bits((_swaps * 1000) + 10 + (((int)signal.Quantity * 4) + signal.Phase)) % 500)) * quantaPerUnit;
    }

    private long Grown(Signal signal) => signal.Quantity switch
    {
        Quantity.ActiveEnergyImport => Direction > 0 ? Imported(signal.Phase) : Exported(signal.Phase),
        Quantity.ActiveEnergyExport => Direction > 0 ? Exported(signal.Phase) : Imported(signal.Phase),
        Quantity.ActiveEnergyTotal => Imported(signal.Phase) + Exported(signal.Phase),
        Quantity.ReactiveEnergyImport => Direction > 0 ? ReactiveImported(signal.Phase) : ReactiveExported(signal.Phase),
        Quantity.ReactiveEnergyExport => Direction > 0 ? ReactiveExported(signal.Phase) : ReactiveImported(signal.Phase),
        Quantity.ReactiveEnergyTotal => ReactiveImported(signal.Phase) + ReactiveExported(signal.Phase),
        Quantity.ApparentEnergy => SinglePhase || signal.Phase > 0
            ? Load.Apparent(PhaseOf(signal.Phase))
            : Load.Apparent(0) + Load.Apparent(1) + Load.Apparent(2),
        Quantity.MassTotal => _grams,
        Quantity.GasTotal => _litres,
        Quantity.RunTime => _runSeconds,
        _ => _seconds,
    };

    private long Imported(int phase) => One(phase) ? Load.Import(PhaseOf(phase)) : Load.Import(0) + Load.Import(1) + Load.Import(2);

    private long Exported(int phase) => One(phase) ? Load.Export(PhaseOf(phase)) : Load.Export(0) + Load.Export(1) + Load.Export(2);

    private long ReactiveImported(int phase) =>
        One(phase) ? Load.ReactiveImport(PhaseOf(phase)) : Load.ReactiveImport(0) + Load.ReactiveImport(1) + Load.ReactiveImport(2);

    private long ReactiveExported(int phase) =>
        One(phase) ? Load.ReactiveExport(PhaseOf(phase)) : Load.ReactiveExport(0) + Load.ReactiveExport(1) + Load.ReactiveExport(2);

    private bool One(int phase) => SinglePhase || phase > 0;

    private int PhaseOf(int named) => SinglePhase ? Phase : named - 1;

    private double Measure(PointState point)
    {
        if (_cycle is { } cycle)
        {
            var state = AnalyserCycle.StateAt(_now, Faults);
            if ((cycle.StatusOf(point.Model, state) ?? cycle.GasOf(point.Model, state)) is { } said)
            {
                return said;
            }
        }

        var signal = point.Signal;
        var value = signal.Quantity switch
        {
            Quantity.Neutral => point.Neutral,
            Quantity.Healthy => point.Symbol(["ok", "normal", "healthy", "ready"]) ?? point.Neutral,
            Quantity.Running => Installation is { Running: true } ? point.Symbol(["run", "on", "forward"]) ?? 1 : point.Symbol(["stop", "off", "idle", "ready"]) ?? 0,
            Quantity.SerialNumber => SerialNumber,
            Quantity.Sequence => _now,
            Quantity.Wave => LoadDevice.Wave(_now, point.Model.Encoding.Address),
            <= Quantity.CurrentDistortion => Electric(signal),
            <= Quantity.DriveTemperature => Drive(signal.Quantity),
            <= Quantity.BeltLoad => Belt(signal.Quantity),
            <= Quantity.DynamicPressure => Gas(signal.Quantity),
            _ => Surroundings(signal.Quantity),
        };
        return (value * point.Factor) + point.Offset;
    }

    private double Electric(Signal signal)
    {
        if (One(signal.Phase) && signal.Quantity is not (Quantity.LineVoltage or Quantity.Frequency or Quantity.NeutralCurrent))
        {
            return OfPhase(signal.Quantity, PhaseOf(signal.Phase));
        }

        switch (signal.Quantity)
        {
            case Quantity.Frequency:
                return _grid.Hertz;
            case Quantity.LineVoltage:
                return signal.Phase == 0 ? (LineVolts(0) + LineVolts(1) + LineVolts(2)) / 3 : LineVolts(signal.Phase - 1);
            case Quantity.NeutralCurrent:
                return NeutralAmperes();
            case Quantity.PowerFactor:
                return Sum(Quantity.ActivePower) / Math.Max(1e-9, Sum(Quantity.ApparentPower));
            case Quantity.PhaseAngle:
                return Degrees(Sum(Quantity.ActivePower), Sum(Quantity.ReactivePower));
            case Quantity.ActivePower or Quantity.ReactivePower or Quantity.ApparentPower:
                return Sum(signal.Quantity);
            default:
                return Sum(signal.Quantity) / 3;
        }
    }

    private double Sum(Quantity quantity) =>
        SinglePhase ? OfPhase(quantity, Phase) : OfPhase(quantity, 0) + OfPhase(quantity, 1) + OfPhase(quantity, 2);

    private double OfPhase(Quantity quantity, int phase) => quantity switch
    {
        Quantity.Voltage => Volts(phase),
        Quantity.Current => Load.VoltAmperes(phase) / Volts(phase),
        Quantity.ActivePower => Direction * Load.Watts(phase),
        Quantity.ReactivePower => Direction * Load.Vars(phase),
        Quantity.ApparentPower => Load.VoltAmperes(phase),
        Quantity.PowerFactor => Load.VoltAmperes(phase) > 0 ? Direction * Load.Watts(phase) / Load.VoltAmperes(phase) : 1,
        Quantity.PhaseAngle => Degrees(Direction * Load.Watts(phase), Direction * Load.Vars(phase)),
        Quantity.VoltageDistortion => _grid.VoltageDistortionPercent,
        _ => 2 * _grid.VoltageDistortionPercent,
    };

    private double Volts(int phase) => _nominalVolts * _grid.Share(phase);

    // Phases stand 120 degrees apart: law of cosines.
    private double LineVolts(int phase)
    {
        var a = Volts(phase);
        var b = Volts((phase + 1) % 3);
        return Math.Sqrt((a * a) + (b * b) + (a * b));
    }

    // Sum of three currents 120 degrees apart.
    private double NeutralAmperes()
    {
        var a = OfPhase(Quantity.Current, 0);
        var b = OfPhase(Quantity.Current, 1);
        var c = OfPhase(Quantity.Current, 2);
        return Math.Sqrt(Math.Max(0, (a * a) + (b * b) + (c * c) - (a * b) - (b * c) - (c * a)));
    }

    private static double Degrees(double watts, double vars) => Math.Atan2(vars, watts) * 180 / Math.PI;

    private double Drive(Quantity quantity) => Installation is not Conveyor drive ? 0 : quantity switch
    {
        Quantity.OutputFrequency => drive.OutputHertz,
        Quantity.ReferenceFrequency => drive.ReferenceHertz,
        Quantity.MotorSpeed => drive.MotorRpm,
        Quantity.ReferenceSpeed => drive.ReferenceHertz / Conveyor.RatedHertz * Conveyor.SynchronousRpm,
        Quantity.MotorCurrent => drive.MotorAmperes,
        Quantity.MotorTorque => 100 * drive.Torque,
        Quantity.OutputVoltage => 400 * drive.OutputHertz / Conveyor.RatedHertz,
        // Rectified peak of the line voltage, a little lower under load.
        Quantity.DcLinkVoltage => (Math.Sqrt(2) * 400 * _grid.Share(0)) - (8 * drive.Torque),
        Quantity.MotorPower => Math.Max(0, drive.Watts - 120),
        _ => drive.HeatSinkCelsius,
    };

    private double Belt(Quantity quantity) => Installation is not Conveyor belt ? 0 : quantity switch
    {
        Quantity.MassFlow => belt.KilogramsPerSecond * 3600,
        Quantity.BeltSpeed => belt.BeltMetresPerSecond,
        _ => belt.KilogramsPerMetre,
    };

    private double Gas(Quantity quantity) => Installation is not Boiler stack ? 0 : quantity switch
    {
        Quantity.Oxygen => stack.OxygenPercent,
        Quantity.CarbonDioxide => stack.CarbonDioxidePercent,
        Quantity.CarbonMonoxide => stack.CarbonMonoxide,
        Quantity.SulphurDioxide => stack.SulphurDioxide,
        Quantity.NitrogenMonoxide => stack.NitrogenMonoxide,
        Quantity.NitrogenDioxide => stack.NitrogenDioxide,
        Quantity.NitrogenOxides => stack.NitrogenOxides,
        Quantity.Dust => stack.Dust,
        Quantity.GasTemperature => stack.Celsius,
        Quantity.GasVelocity => stack.MetresPerSecond,
        Quantity.GasFlow => stack.CubicMetresPerSecond * 3600,
        Quantity.GasMoisture => stack.MoisturePercent,
        Quantity.StaticPressure => stack.StaticPascal,
        _ => stack.DynamicPascal,
    };

    private double Surroundings(Quantity quantity)
    {
        var load = Installation is { Running: true } running ? running.Load : 0;
        return quantity switch
        {
            Quantity.VibrationVelocity => 0.2 + (2.2 * load) + (0.15 * _noise.White(_now)),
            Quantity.VibrationAcceleration => 0.02 + (0.12 * load) + (0.01 * _noise.White(_now)),
            Quantity.MachineTemperature => 32 + (18 * load) + _noise.Smooth(_now, 900),
            Quantity.AmbientCarbonDioxide => 520 + (60 * _noise.Smooth(_now, 1200)),
            Quantity.Methane => Installation is Fan fan ? fan.MethanePercent : 0.1,
            Quantity.AirCarbonMonoxide => Installation is Fan fan ? fan.CarbonMonoxide : 3,
            Quantity.AirVelocity => Installation is Fan fan ? 3 * fan.Air : 0.3,
            Quantity.AirFlow => Installation is Fan fan ? 150_000 * fan.Air : 0,
            Quantity.TransformerOil => Installation is Transformer transformer ? transformer.OilCelsius : 40,
            Quantity.TransformerWinding => Installation is Transformer transformer ? transformer.WindingCelsius : 45,
            Quantity.AmbientHumidity => 62 + (6 * _noise.Smooth(_now, 1800)),
            Quantity.AmbientTemperature when Installation is Transformer beside => beside.AmbientCelsius,
            _ => 21 + (2 * _noise.Smooth(_now, 1800)),
        };
    }
}
