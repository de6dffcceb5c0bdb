using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>
/// One stack: makes an hour of validity, flags, concentrations, flow and mass from its points, keeps calibrations, look-back and availability, and decides
/// missing periods when they end. Hours are those of UTC; quarters, years and days those of the site. Times are Unix milliseconds.
/// </summary>
/// <remarks>
/// The first sample of the next hour ends an hour for all points. Nothing grows without bound: an hour waits at most for <see cref="MostWaiting"/> others, then its
/// missing period is decided without the hour after it.
/// </remarks>
internal sealed class CemsStation
{
    /// <summary>Length of an hour.</summary>
    public const long HourMs = 3_600_000;

    /// <summary>Hours that may wait for the end of a missing period: a quarter of 92 days.</summary>
    public const int MostWaiting = 2208;

    /// <summary>Final hours that may be taken back: 16 days, for HJ 75 asks for a check at least every 15 (by hand; recalled).</summary>
    public const int MostKept = 384;

    private const long QuarterMs = 900_000;
    private const long MinuteMs = 60_000;
    private const long GraceMs = 2_000;

    // Of what a layout means; how it is written has versions of its own.
    private const int LayoutVersion = 1;

    // Digits of an hour that tell each millisecond.
    private const int MillisecondDecimals = 9;

    private readonly SiteModel _site;
    private readonly CemsModel _model;
    private readonly IFeedSink _sink;
    private readonly WindowGrid _grid;
    private readonly CemsChannel[] _gases;
    private readonly CalibrationTrack[] _calibrations;
    private readonly AuditTrack[] _audits;
    private readonly PermitWatch?[] _permits;
    private readonly CemsChannel?[] _inputs;
    private readonly PointModel? _loadPoint;
    private readonly PointModel? _statusPoint;
    private readonly SubstitutionTrack[] _tracks;
    private readonly FuelFactor? _fuel;
    private readonly int _flow = -1;
    private readonly int _moisture = -1;
    private readonly List<(PointModel Point, int Slot)> _slots = [];
    private readonly long[] _operatingMs = new long[4];
    private readonly Queue<CemsHour> _waiting = new();

    // Final hours since the last check that passed, while one that fails takes them back: HJ 75 alone.
    private readonly Queue<CemsHour> _kept = new();

    // Hours of a period that has ended are judged by its capture, which is gone.
    private long _keptFrom = long.MinValue;
    private long _start;
    private long _from;
    private long _accrued;
    private long _minute;
    private bool _isOperating = true;
    private double _load;
    private decimal _loadSum;
    private long _loadMs;
    private CemsState _state;
    private long _periodEnd;
    private long _dayEnd;
    private decimal _carried;

    /// <summary>The stack of a device.</summary>
    /// <exception cref="ArgumentException">A point is missing or measures something else, or what the rules need is not stated.</exception>
    public CemsStation(SiteModel site, DeviceModel device, IFeedSink sink)
    {
        _site = site;
        _model = device.Cems!;
        _sink = sink;
        Device = device;
        _grid = new WindowGrid(site.TimeZone);
        _inputs = [.. Enumerable.Range(0, (int)CemsInput.Load).Select(i => CemsInputs.Channel(site, device, _model, (CemsInput)i))];
        _loadPoint = CemsInputs.Find(site, device, _model.Points.GetValueOrDefault("load"), []);
        _statusPoint = CemsInputs.Find(site, device, _model.Points.GetValueOrDefault("status"), []);
        _fuel = FindFuel();
        RequireInputs();
        _gases = [.. _model.Gases.Select(Channel)];
        _calibrations = [.. _model.Gases.Select(g => new CalibrationTrack(g, _model.Rules))];
        _permits = [.. _model.Gases.Select((g, i) => g.HourLimit is null && g.DayLimit is null ? null : new PermitWatch(g, _gases[i].Point))];
        var tracks = new List<SubstitutionTrack>();
        foreach (var gas in _model.Gases)
        {
            tracks.Add(TrackOf(gas));
        }

        if (this[CemsInput.Velocity] is not null || this[CemsInput.Flow] is not null)
        {
            _flow = tracks.Count;
            tracks.Add(new(_model.Rules == CemsRules.Part75 ? SubstituteKind.LoadBin : SubstituteKind.None, false, _model.PotentialFlow, Rounding.ToThousands));
        }

        if (_model.Rules == CemsRules.Part75 && this[CemsInput.Moisture] is not null)
        {
            // The default of the fuel is lower than any that is measured: what stands in lowest is conservative for a dry analyser's wet flow.
            _moisture = tracks.Count;
            tracks.Add(new(SubstituteKind.Concentration, true, _model.MoisturePercent, v => v.To(1)));
        }

        _tracks = [.. tracks];
        _audits = [.. Enumerable.Range(0, _tracks.Length).Select(AuditOf)];
        for (var i = 0; i < _gases.Length; i++)
        {
            _slots.Add((_gases[i].Point, i));
        }

        for (var i = 0; i < _inputs.Length; i++)
        {
            if (_inputs[i] is { } channel)
            {
                _slots.Add((channel.Point, _gases.Length + i));
            }
        }

        if (_loadPoint is not null)
        {
            _slots.Add((_loadPoint, _gases.Length + (int)CemsInput.Load));
        }

        if (_statusPoint is not null)
        {
            _slots.Add((_statusPoint, _gases.Length + (int)CemsInput.Status));
        }
    }

    /// <summary>The device.</summary>
    public DeviceModel Device { get; }

    /// <summary>The points it is made from, and what each gives.</summary>
    public IReadOnlyList<(PointModel Point, int Slot)> Slots => _slots;

    /// <summary>End of the hour that runs.</summary>
    public long End => _start + HourMs;

    /// <summary>Begins the hour that contains <paramref name="time"/>, part of it when it has begun before.</summary>
    public void Open(long time)
    {
        _start = time - (time % HourMs);
        _from = time;
        _accrued = time;
        _minute = time / MinuteMs;

        // A quarter that ended while nobody watched has nothing to do with this hour.
        if (_periodEnd != 0)
        {
            EndPeriods(time);
            ReleaseFinal();
        }

        FindPeriods(time);
        foreach (var audit in _audits)
        {
            audit.BeginHour();
        }

        foreach (var calibration in _calibrations)
        {
            calibration.BeginHour();
        }

        Array.Clear(_operatingMs);
        (_loadSum, _loadMs) = (0, 0);
        foreach (var channel in _gases)
        {
            channel.Reset();
        }

        foreach (var channel in _inputs)
        {
            channel?.Reset();
        }
    }

    /// <summary>Takes a validated sample of one of its points. One that comes late, from another bus, counts in the hour and the minute that run.</summary>
    public void Observe(int slot, in Sample sample, long time, int era)
    {
        MoveTo(time, era);
        time = Math.Max(time, _from);
        var has = sample.Quality.HasValue;
        switch (slot - _gases.Length)
        {
            case (int)CemsInput.Load:
                Accrue(time);
                // What is not believed says nothing of the unit: it goes on as it was.
                if (has && sample.Quality.Reason != QualityReason.OutOfRange && Math.Abs(sample.Value) < 1e12)
                {
                    _load = sample.Value;
                    _isOperating = (decimal)sample.Value > _model.OperatingAbove;
                }

                return;
            case (int)CemsInput.Status:
                if (has)
                {
                    Follow(unchecked((long)sample.Raw), time);
                }

                SettleAll();
                return;
        }

        var isGas = slot < _gases.Length;
        var channel = isGas ? _gases[slot] : _inputs[slot - _gases.Length]!;
        var value = has ? channel.Convert(sample.Value) : null;
        channel.Hear(value is not null, time, _from);
        var flag = FlagOf(sample.Quality, isGas || slot == _gases.Length + (int)CemsInput.Oxygen);
        if (isGas)
        {
            if (value is { } reading && flag is CemsFlag.Normal && _model.Gases[slot].Span is { } span && reading > span)
            {
                flag = CemsFlag.OverRange;
            }

            _calibrations[slot].Read(value);
        }

        if (_isOperating)
        {
            channel.Add(value, flag, time, _start, waits: _statusPoint is not null && (isGas || slot == _gases.Length + (int)CemsInput.Oxygen));
        }
    }

    /// <summary>A person enters a calibration check.</summary>
    /// <returns>The record; null when the stack has no such gas, or it is not calibrated under these rules.</returns>
    /// <exception cref="EmissionRefusedException">The numbers cannot be.</exception>
    public CemsCalibrationRecord? Enter(string gas, string level, decimal reference, decimal measured, long time, string who)
    {
        for (var i = 0; i < _gases.Length; i++)
        {
            if (_model.Gases[i].Gas == gas && _calibrations[i].IsRequired)
            {
                var record = _calibrations[i].Check(level, reference, measured, Device.Index, time, who) with { Unit = UnitOf(i) };
                _sink.Calibration(record);
                return record;
            }
        }

        return null;
    }

    /// <summary>A person enters a linearity check or a RATA.</summary>
    /// <param name="order">What was found.</param>
    /// <param name="time">When it is entered, Unix milliseconds.</param>
    /// <returns>The record; null when the stack has no such quantity.</returns>
    /// <exception cref="EmissionRefusedException">The numbers cannot be, or the rules know no such test.</exception>
    public CemsCalibrationRecord? Enter(AuditOrder order, long time)
    {
        var q = Enumerable.Range(0, _tracks.Length).FirstOrDefault(i => NameOf(i) == order.Quantity, -1);
        if (q < 0)
        {
            return null;
        }

        if (_model.Rules != CemsRules.Part75)
        {
            throw new EmissionRefusedException($"Linearity checks and RATA are of Part 75; the stack is under {_model.Rules.Word()}.");
        }

        var record = new CemsCalibrationRecord
        {
            Device = Device.Index, Gas = order.Quantity, Time = new(time), Level = order.Kind, Unit = UnitOf(q), Reference = 0, Measured = null, Error = null, Result = TestResult.Failed, Who = order.Who,
        };
        if (order.Kind == "rata")
        {
            var (found, due) = _audits[q].Rata(order.Runs, quarters => QuarterEnd(time, quarters));
            record = record with
            {
                Reference = found.MeanReference.To(6), Measured = found.MeanCems.To(6), Error = found.RelativeAccuracy, Result = found.Result, BiasFactor = found.BiasFactor, Due = due is { } rata ? new(rata) : null,
            };
        }
        else
        {
            var due = QuarterEnd(time, 1);
            var (error, result) = _audits[q].Linearity(order.Runs, due);
            record = record with
            {
                Reference = order.Runs.Average(r => r.Reference).To(6), Measured = order.Runs.Average(r => r.Cems).To(6), Error = error, Result = result, Due = result == TestResult.Failed ? null : new(due),
            };
        }

        _sink.Calibration(record);
        return record;
    }

    /// <summary>Ends every hour that ends at or before <paramref name="limit"/>.</summary>
    public void CloseUpTo(long limit, int era)
    {
        while (End <= limit)
        {
            // A silence that is longer than all that may wait is not made up hour by hour: what is missing is stated by the gateway itself.
            if (limit - _start > MostWaiting * HourMs)
            {
                Close(End, era, WindowCut.None);
                Open(limit);
                return;
            }

            Close(End, era, WindowCut.None);
            Open(End);
        }
    }

    /// <summary>Ends the hour that runs early; <see cref="Open"/> must follow.</summary>
    public void Cut(long time, int era, WindowCut cut)
    {
        CloseUpTo(time, era);
        if (time > _from)
        {
            Close(Math.Min(time, End), era, cut);
        }
    }

    /// <summary>Readings before a loss are not known to the hour that follows.</summary>
    public void Forget()
    {
        foreach (var channel in _gases)
        {
            channel.Forget();
        }

        foreach (var channel in _inputs)
        {
            channel?.Forget();
        }
    }

    /// <summary>Says what ends with the configuration.</summary>
    public void EndFindings(long time)
    {
        foreach (var permit in _permits)
        {
            permit?.End(time, _sink);
        }
    }

    /// <summary>Decides all missing periods by what is known, without the hour after them, and publishes the hours that waited: nothing of this configuration follows.</summary>
    public void EndWaiting()
    {
        for (var q = 0; q < _tracks.Length; q++)
        {
            Resolve(q, null);
        }

        ReleaseFinal();
    }

    /// <summary>The wall clock was set by <paramref name="milliseconds"/>.</summary>
    public void Shift(long milliseconds)
    {
        foreach (var channel in _gases)
        {
            channel.Shift(milliseconds);
        }

        foreach (var channel in _inputs)
        {
            channel?.Shift(milliseconds);
        }

        foreach (var calibration in _calibrations)
        {
            calibration.Shift(milliseconds);
        }

        foreach (var permit in _permits)
        {
            permit?.Shift(milliseconds);
        }

        // Hours are named by the clock of then: which of them lie after a check that passed cannot be told any more.
        if (Math.Abs(milliseconds) >= HourMs)
        {
            _kept.Clear();
        }
    }

    public void Save(StateWriter writer, int version)
    {
        writer.Write(_start);
        writer.Write(_from);
        writer.Write(_accrued);
        writer.Write(_minute);
        foreach (var ms in _operatingMs)
        {
            writer.Write(ms);
        }

        writer.Write(_loadSum);
        writer.Write(_loadMs);
        foreach (var channel in _gases)
        {
            channel.Save(writer);
        }

        foreach (var channel in _inputs)
        {
            channel?.Save(writer);
        }

        foreach (var permit in _permits)
        {
            permit?.Save(writer);
        }

        SaveLasting(writer, version);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the state: 1 to <see cref="CemsBook.StateVersion"/>.</param>
    public void Load(ref StateReader reader, int version)
    {
        _start = reader.ReadInt64();
        _from = reader.ReadInt64();
        _accrued = reader.ReadInt64();
        _minute = reader.ReadInt64();
        for (var i = 0; i < _operatingMs.Length; i++)
        {
            _operatingMs[i] = reader.ReadInt64();
        }

        _loadSum = reader.ReadDecimal();
        _loadMs = reader.ReadInt64();
        foreach (var channel in _gases)
        {
            channel.Load(ref reader, version, _from, _accrued);
        }

        foreach (var channel in _inputs)
        {
            channel?.Load(ref reader, version, _from, _accrued);
        }

        foreach (var permit in _permits)
        {
            permit?.Load(ref reader);
        }

        LoadLasting(ref reader, version);
    }

    /// <summary>What two configurations must have in common for <see cref="SaveLasting"/> of one to be read by the other: rules, and what is accounted how.</summary>
    public string Layout => $"{LayoutVersion} {_model.Rules.Word()} {string.Join(',', _model.Gases.Select((g, i) => $"{g.Gas}{(g.IsFromOxygen ? "<o2" : "")}:{UnitOf(i)}{(g.IsWet ? "w" : "d")}"))} {_flow} {_moisture}";

    /// <summary>Writes what also outlives a change of configuration: look-back, availability, calibrations and hours that wait.</summary>
    public void SaveLasting(StateWriter writer, int version)
    {
        writer.Write(_isOperating);
        writer.Write(_load);
        writer.Write((byte)_state);
        writer.Write(_periodEnd);
        writer.Write(_dayEnd);
        writer.Write(_carried);
        foreach (var calibration in _calibrations)
        {
            calibration.Save(writer, version);
        }

        foreach (var track in _tracks)
        {
            track.Save(writer, version);
        }

        foreach (var audit in _audits)
        {
            audit.Save(writer);
        }

        writer.Write(_waiting.Count);
        foreach (var hour in _waiting)
        {
            hour.Save(writer, version);
        }

        if (version > 2)
        {
            writer.Write(_kept.Count);
            foreach (var hour in _kept)
            {
                hour.Save(writer, version);
            }
        }
    }

    /// <summary>Reads what <see cref="SaveLasting"/> wrote for the same <see cref="Layout"/>.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the state.</param>
    public void LoadLasting(ref StateReader reader, int version)
    {
        _isOperating = reader.ReadBoolean();
        _load = reader.ReadDouble();
        _state = (CemsState)reader.ReadByte();
        _periodEnd = reader.ReadInt64();
        _dayEnd = reader.ReadInt64();
        _carried = reader.ReadDecimal();
        foreach (var calibration in _calibrations)
        {
            calibration.Load(ref reader, version);
        }

        foreach (var track in _tracks)
        {
            track.Load(ref reader, version);
        }

        foreach (var audit in version > 1 ? _audits : [])
        {
            audit.Load(ref reader);
        }

        _waiting.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            _waiting.Enqueue(CemsHour.Load(ref reader, _tracks.Length, version));
        }

        _kept.Clear();
        for (var left = version > 2 ? reader.ReadInt32() : 0; left > 0; left--)
        {
            _kept.Enqueue(CemsHour.Load(ref reader, _tracks.Length, version));
        }
    }

    private CemsChannel? this[CemsInput input] => _inputs[(int)input];

    private FuelFactor? FindFuel()
    {
        try
        {
            return _model.Fuel is { } fuel ? FuelFactors.Get(fuel) : null;
        }
        catch (EmissionRefusedException e)
        {
            throw new ArgumentException(e.Message, e);
        }
    }

    private void RequireInputs()
    {
        var hasVelocity = this[CemsInput.Velocity] is not null && _model.SquareMetres is not null;
        if (this[CemsInput.Flow] is null && !hasVelocity)
        {
            throw new ArgumentException("there is no flow: it needs a point of the role flue.flow, or one of the role flue.velocity and the 'area' of the stack");
        }

        if (this[CemsInput.Temperature] is null)
        {
            throw new ArgumentException("there is no temperature of the gas (role flue.temperature): without it the flow has no standard conditions");
        }

        foreach (var gas in _model.Gases)
        {
            if (_model.Rules == CemsRules.Part75 && gas.Span is null)
            {
                throw new ArgumentException($"{gas.Gas} has no span: Part 75 judges its daily calibration by it");
            }

            if (gas.ReferenceOxygen is not null && this[CemsInput.Oxygen] is null)
            {
                throw new ArgumentException($"the limits of {gas.Gas} are at {gas.ReferenceOxygen} % oxygen, and no oxygen is measured (role gas.concentration.o2)");
            }

            if (gas.IsFromOxygen && (_fuel is null || _model.Rules != CemsRules.Part75))
            {
                throw new ArgumentException("CO2 from oxygen (F-14A, F-14B) is of Part 75 and needs the 'fuel' of its F-factors");
            }
        }
    }

    private CemsChannel Channel(CemsGasModel gas)
    {
        var name = gas.IsFromOxygen ? _model.Points.GetValueOrDefault("oxygen") ?? gas.Point : gas.Point;
        var point = CemsInputs.Find(_site, Device, name, [$"gas.concentration.{(gas.IsFromOxygen ? "o2" : gas.Gas)}"])
            ?? throw new ArgumentException($"no point has the role gas.concentration.{(gas.IsFromOxygen ? "o2" : gas.Gas)}");
        return gas.Gas switch
        {
            "co2" => new(point, [Dimension.VolumeFraction, Dimension.One], 10_000),
            "dust" => new(point, [Dimension.MassConcentration], 1),
            _ => new(point, [Dimension.MassConcentration, Dimension.VolumeFraction], 1),
        };
    }

    private SubstitutionTrack TrackOf(CemsGasModel gas) => _model.Rules switch
    {
        CemsRules.Hj75 => new(SubstituteKind.Mass, false, null, v => v),
        CemsRules.EuMrr => new(SubstituteKind.Mean, false, null, v => v),
        _ when gas.Gas == "nox" => new(SubstituteKind.LoadBin, false, gas.Potential, v => v.To(1)),
        _ => new(SubstituteKind.Concentration, gas.IsFromOxygen, gas.Potential, v => v.To(1)),
    };

    private AuditTrack AuditOf(int q)
    {
        if (q >= _gases.Length)
        {
            return q == _flow ? new(RataSystem.Flow, null, _model.FlowBias) : new(RataSystem.H2o, null, 1);
        }

        var gas = _model.Gases[q];
        return gas.Gas switch
        {
            "so2" => new(RataSystem.So2, CemsComponent.So2, gas.Bias),
            "nox" => new(RataSystem.Nox, CemsComponent.Nox, gas.Bias),
            _ when gas.IsFromOxygen => new(RataSystem.O2, CemsComponent.O2, 1),
            _ => new(RataSystem.Co2, CemsComponent.Co2, 1),
        };
    }

    private void Follow(long code, long time)
    {
        _state = _model.States.GetValueOrDefault(code, CemsState.Normal);
        for (var i = 0; i < _calibrations.Length; i++)
        {
            try
            {
                if (_calibrations[i].Follow(_state, Device.Index, time) is { } record)
                {
                    _sink.Calibration(record with { Unit = UnitOf(i) });
                }
            }
            catch (EmissionRefusedException)
            {
                // A gas or reading that cannot be: the check is as if it had not ended, and the last one loses its life in time.
            }
        }
    }

    /// <summary>The status has been heard: what was read just before it counts as it says.</summary>
    private void SettleAll()
    {
        var flag = FlagOf(_state);
        foreach (var channel in _gases)
        {
            channel.Settle(flag);
        }

        this[CemsInput.Oxygen]?.Settle(flag);
    }

    private static CemsFlag FlagOf(CemsState state) => state switch
    {
        CemsState.Calibration or CemsState.ZeroGas or CemsState.SpanGas => CemsFlag.Calibration,
        CemsState.Maintenance => CemsFlag.Maintenance,
        CemsState.Fault => CemsFlag.Fault,
        CemsState.OutOfService => CemsFlag.OutOfService,
        _ => CemsFlag.Normal,
    };

    private CemsFlag FlagOf(Quality quality, bool isAnalyser)
    {
        if (!quality.HasValue)
        {
            return quality.Reason switch
            {
                QualityReason.Calibrating => CemsFlag.Calibration,
                QualityReason.Maintenance => CemsFlag.Maintenance,
                QualityReason.DeviceException or QualityReason.InvalidCode or QualityReason.NotANumber => CemsFlag.Fault,
                _ => CemsFlag.Lost,
            };
        }

        var said = isAnalyser ? FlagOf(_state) : CemsFlag.Normal;
        return said != CemsFlag.Normal ? said : quality.Reason switch
        {
            QualityReason.OutOfRange => CemsFlag.OverRange,
            QualityReason.Stuck => CemsFlag.Fault,
            QualityReason.Calibrating => CemsFlag.Calibration,
            QualityReason.Maintenance => CemsFlag.Maintenance,
            _ => CemsFlag.Normal,
        };
    }

    private void MoveTo(long time, int era)
    {
        CloseUpTo(time, era);

        // A channel ends its minutes by its own samples; those of another bus may still be on their way.
        var minute = (time - GraceMs) / MinuteMs;
        if (minute > _minute)
        {
            _minute = minute;
            EndMinutes(minute * MinuteMs, time);
        }

        Accrue(time);
    }

    /// <summary>Ends the minutes before <paramref name="minute"/> in all channels, and asks the permits about the last.</summary>
    private void EndMinutes(long minute, long time)
    {
        foreach (var channel in _inputs)
        {
            channel?.MoveTo(minute);
        }

        for (var i = 0; i < _gases.Length; i++)
        {
            _gases[i].MoveTo(minute);
            if (_permits[i] is { } permit && _isOperating && Correct(i, _gases[i].LatestMinute, this[CemsInput.Oxygen]?.LatestMinute, this[CemsInput.Moisture]?.LatestMinute, out _) is { } corrected)
            {
                var left = (int)Math.Clamp((End - minute) / MinuteMs, 0, 59);
                permit.Minute(corrected, left, (int)Math.Clamp((_dayEnd - End) / HourMs, 0, 24), time, _sink);
            }
        }
    }

    private void Accrue(long time)
    {
        time = Math.Min(time, End);
        while (_accrued < time)
        {
            var quarter = (int)Math.Clamp((_accrued - _start) / QuarterMs, 0, 3);
            var until = Math.Min(time, _start + ((quarter + 1) * QuarterMs));
            if (_isOperating)
            {
                _operatingMs[quarter] += until - _accrued;
                _loadSum += (decimal)_load * (until - _accrued);
                _loadMs += until - _accrued;
            }

            _accrued = until;
        }
    }

    private void Close(long end, int era, WindowCut cut)
    {
        Accrue(end);
        foreach (var channel in _gases)
        {
            channel.EndMinute();
        }

        foreach (var channel in _inputs)
        {
            channel?.EndMinute();
        }

        // Part 75 states hundredths of a whole hour; a part of one, and the others, weigh what was measured.
        var isWhole = cut == WindowCut.None && _from == _start;
        var operating = ((_operatingMs[0] + _operatingMs[1] + _operatingMs[2] + _operatingMs[3]) / (decimal)HourMs).To(_model.Rules == CemsRules.Part75 && isWhole ? 2 : MillisecondDecimals);
        var ran = operating > 0;
        var statuses = _calibrations.Select(c => c.EndHour(_start, ran)).ToArray();
        for (var i = 0; i < _calibrations.Length; i++)
        {
            // A failure of this hour tells of the hours before it also when a test has passed since.
            if (_calibrations[i].HasFailed && _calibrations[i].PassedBefore is { } passed)
            {
                var (hours, counted) = _model.Rules == CemsRules.Hj75 ? TakeBack(i, passed) : (0, 0);
                _tracks[i].Failed(hours, counted);
            }

            if (_calibrations[i].HasPassed)
            {
                _tracks[i].Passed();
            }
        }

        ForgetKept();

        var hour = ran ? Measure(end, era, cut, operating, statuses) : new CemsHour
        {
            Start = _from,
            Width = end - _from,
            Era = era,
            Cut = cut,
            OperatingTime = 0,
            Bin = 0,
            OxygenPercent = null,
            Entries = [],
        };
        for (var i = 0; i < _permits.Length; i++)
        {
            _permits[i]?.EndHour(ran ? hour.Entries[i].Corrected : null, end, _sink);
        }

        foreach (var track in _tracks)
        {
            track.Watch(_start / HourMs);
        }

        if (ran)
        {
            Decide(hour);
            _waiting.Enqueue(hour);
        }

        EndPeriods(end);
        if (!ran)
        {
            // A unit that stands has nothing to wait for.
            ReleaseFinal();
            Publish(hour, true);
        }
        else
        {
            Release(hour);
        }
    }

    /// <summary>Makes the measured hour: values, validity, flags.</summary>
    private CemsHour Measure(long end, int era, WindowCut cut, decimal operating, CalibrationStatus?[] statuses)
    {
        var entries = new CemsEntry[_tracks.Length];
        var oxygenChannel = this[CemsInput.Oxygen];
        var moistureChannel = this[CemsInput.Moisture];
        var moisture = moistureChannel is not null && moistureChannel.IsValid(_model.Rules, _operatingMs) ? moistureChannel.Mean(_model.Rules) : null;
        if (_moisture >= 0)
        {
            entries[_moisture] = Entry(moistureChannel!, moisture?.To(1), null);
        }

        // A measured moisture that fails is not replaced by a default: it is missing, and substituted where the rules have a substitute.
        var known = moistureChannel is null ? _model.MoisturePercent : moisture;
        var oxygen = oxygenChannel is not null && oxygenChannel.IsValid(_model.Rules, _operatingMs) ? oxygenChannel.Mean(_model.Rules) : null;
        entries[_flow] = Flow(known);
        var flow = entries[_flow].Value;
        for (var i = 0; i < _gases.Length; i++)
        {
            entries[i] = Gas(i, statuses[i], known);
            if (entries[i].IsValid && _permits[i] is not null)
            {
                entries[i].Corrected = Correct(i, _gases[i].Mean(_model.Rules), oxygen, known, out var why)?.To(6);
                entries[i].Note ??= why;
            }

            if (_model.Rules == CemsRules.Hj75)
            {
                try
                {
                    entries[i].Rate = entries[i].Value is { } value && flow is { } dry ? Rate(i, value, dry) : null;
                    CemsLimits.RequireQuantity(entries[i].Rate ?? 0, "The emission rate");
                }
                catch (EmissionRefusedException e)
                {
                    // Readings that are each possible, and not together: more than all of the gas, say.
                    (entries[i].Value, entries[i].Rate, entries[i].IsValid, entries[i].Flag, entries[i].Note) = (null, null, false, CemsFlag.Fault, e.Message);
                }

                if (entries[i].Rate is null)
                {
                    entries[i].Note ??= entries[_flow].Note ?? (flow is null ? "the flow is missing" : null);
                }
            }
        }

        decimal? dryOxygen = null;
        try
        {
            dryOxygen = oxygen is { } wet && _model.IsOxygenWet ? FlueGas.Dry(wet, known).To(6) : oxygen;
        }
        catch (EmissionRefusedException)
        {
            // Said where it is needed.
        }

        SetCoverage(entries, end);
        Audit(entries, end);
        return new()
        {
            Start = _from,
            Width = end - _from,
            Era = era,
            Cut = cut,
            OperatingTime = operating,
            Bin = Bin(),
            OxygenPercent = dryOxygen,
            Entries = entries,
        };
    }

    /// <summary>Takes out what a linearity check or a RATA, failed or overdue, puts out of control.</summary>
    private void Audit(CemsEntry[] entries, long end)
    {
        for (var q = 0; q < entries.Length; q++)
        {
            if (_audits[q].EndHour(end) is { } why && entries[q].IsValid)
            {
                (entries[q].Value, entries[q].IsValid, entries[q].Corrected, entries[q].Flag, entries[q].Note) = (null, false, null, CemsFlag.Fault, why);
            }
        }
    }

    /// <summary>How much of the time each quantity was heard: the flow as its least-heard part.</summary>
    private void SetCoverage(CemsEntry[] entries, long end)
    {
        for (var i = 0; i < _gases.Length; i++)
        {
            entries[i].Coverage = _gases[i].EndCoverage(_from, end);
        }

        var flow = 1.0;
        foreach (var input in (ReadOnlySpan<CemsInput>)[this[CemsInput.Flow] is null ? CemsInput.Velocity : CemsInput.Flow, CemsInput.Temperature, CemsInput.Pressure])
        {
            flow = this[input] is { } channel ? Math.Min(flow, channel.EndCoverage(_from, end)) : flow;
        }

        // What makes wet of dry gas and dry of wet, where it is measured, goes with the flow.
        if (this[CemsInput.Moisture] is { } moisture)
        {
            var heard = moisture.EndCoverage(_from, end);
            if (_moisture >= 0)
            {
                entries[_moisture].Coverage = heard;
            }
            else
            {
                flow = Math.Min(flow, heard);
            }
        }

        entries[_flow].Coverage = flow;
    }

    private CemsEntry Entry(CemsChannel channel, decimal? value, CalibrationStatus? status)
    {
        var isValid = channel.IsValid(_model.Rules, _operatingMs);
        var inControl = status?.IsInControl() ?? true;
        return new()
        {
            IsValid = isValid && inControl && value is not null,
            Value = isValid && inControl ? value : null,
            Flag = isValid && inControl ? CemsFlag.Normal : isValid ? CemsFlag.Fault : channel.Worst(),
            Points = _model.Rules == CemsRules.Hj75 ? channel.Minutes : channel.Count,
            Calibration = status,
        };
    }

    /// <summary>A gas of the hour: as the analyser states it under Part 75, else dry and standard.</summary>
    private CemsEntry Gas(int i, CalibrationStatus? status, decimal? moisture)
    {
        var gas = _model.Gases[i];
        var channel = _gases[i];
        var entry = Entry(channel, channel.Mean(_model.Rules), status);
        if (!entry.IsValid)
        {
            return entry;
        }

        try
        {
            entry.Value = _model.Rules != CemsRules.Part75 ? DryStandard(i, entry.Value!.Value, moisture).To(6)
                : gas.Gas is "so2" or "nox" ? Rata.Adjust(gas.Gas == "so2" ? RataSystem.So2 : RataSystem.Nox, Positive(entry.Value!.Value), _audits[i].Bias)
                : Positive(entry.Value!.Value).To(1);
        }
        catch (EmissionRefusedException e)
        {
            (entry.Value, entry.IsValid, entry.Flag, entry.Note) = (null, false, CemsFlag.Fault, e.Message);
        }

        return entry;
    }

    private CemsEntry Flow(decimal? moisture)
    {
        var isVelocity = this[CemsInput.Flow] is null;
        var channel = this[CemsInput.Flow] ?? this[CemsInput.Velocity]!;
        var entry = Entry(channel, channel.Mean(_model.Rules), null);
        foreach (var other in (ReadOnlySpan<CemsInput>)[CemsInput.Temperature, CemsInput.Pressure])
        {
            if (this[other] is { } beside && !beside.IsValid(_model.Rules, _operatingMs))
            {
                return entry with { Value = null, IsValid = false, Flag = entry.IsValid ? beside.Worst() : entry.Flag, Note = $"the {other.Word()} of the gas is missing" };
            }
        }

        if (!entry.IsValid)
        {
            return entry;
        }

        try
        {
            var measured = Positive(entry.Value!.Value);
            var actual = isVelocity ? FlueGas.ActualFlow(_model.SquareMetres!.Value, measured, _model.VelocityCoefficient) : measured;
            var celsius = this[CemsInput.Temperature]!.Mean(_model.Rules)!.Value;
            var below = this[CemsInput.Pressure]?.Mean(_model.Rules) ?? 0;
            entry.Value = _model.Rules switch
            {
                CemsRules.Part75 => Rata.Adjust(RataSystem.Flow, Part75.StandardFlow(actual, celsius, _model.AmbientPascal + below), _audits[_flow].Bias),
                CemsRules.Hj75 => FlueGas.StandardDryFlow(actual, celsius, _model.AmbientPascal, below, moisture).To(6),
                _ => EuMonitoring.NormalDryFlow(actual, celsius, _model.AmbientPascal + below, moisture).To(6),
            };
        }
        catch (EmissionRefusedException e)
        {
            (entry.Value, entry.IsValid, entry.Flag, entry.Note) = (null, false, CemsFlag.Fault, e.Message);
        }

        return entry;
    }

    // Zero drift makes an analyser read a little below nothing; a mass below nothing there is not.
    private static decimal Positive(decimal value) => Math.Max(0, value);

    /// <summary>A concentration on the dry basis at standard conditions: percent for CO2, else mg/m3.</summary>
    private decimal DryStandard(int i, decimal value, decimal? moisture)
    {
        var gas = _model.Gases[i];
        var number = Positive(value);
        if (gas.Gas != "co2" && _gases[i].Dimension == Dimension.VolumeFraction)
        {
            number = FlueGas.FromPpm(number, CemsWords.MolarMasses[gas.Gas]);
        }
        else if (gas.IsActual && gas.Gas != "co2")
        {
            var celsius = this[CemsInput.Temperature]!.Mean(_model.Rules)
                ?? throw new EmissionRefusedException($"The temperature of the gas is missing: {gas.Gas} is stated at the conditions of the stack and cannot be brought to standard ones.");
            number = FlueGas.StandardConcentration(number, _model.AmbientPascal, this[CemsInput.Pressure]?.Mean(_model.Rules) ?? 0, celsius);
        }

        return gas.IsWet ? FlueGas.Dry(number, moisture) : number;
    }

    /// <summary>A concentration at reference oxygen; null where one of both is missing or cannot be, and why.</summary>
    private decimal? Correct(int i, decimal? value, decimal? oxygen, decimal? moisture, out string? why)
    {
        why = null;
        var gas = _model.Gases[i];
        if (value is not { } measured)
        {
            return null;
        }

        try
        {
            var dry = DryStandard(i, measured, moisture ?? (this[CemsInput.Moisture] is null ? _model.MoisturePercent : null));
            if (gas.ReferenceOxygen is not { } reference)
            {
                return dry;
            }

            if (oxygen is not { } o2)
            {
                why = "not at reference oxygen: the oxygen is missing";
                return null;
            }

            return FlueGas.AtReferenceOxygen(dry, _model.IsOxygenWet ? FlueGas.Dry(Positive(o2), moisture) : Positive(o2), reference);
        }
        catch (EmissionRefusedException e)
        {
            why = e.Message;
            return null;
        }
    }

    /// <summary>kg/h of a dry standard concentration.</summary>
    private decimal Rate(int i, decimal value, decimal flow) =>
        (_model.Gases[i].Gas == "co2" ? FlueGas.Co2MassRate(value, flow) : FlueGas.MassRate(value, flow)).To(6);

    private int Bin()
    {
        if (_model.FullLoad is not { } full || _loadMs == 0)
        {
            return 0;
        }

        return (int)Math.Clamp(_loadSum / _loadMs / full * 10, 0, 9);
    }

    /// <summary>What of the hour is measured ends the missing periods before it; what is not begins or prolongs one.</summary>
    private void Decide(CemsHour hour)
    {
        for (var q = 0; q < _tracks.Length; q++)
        {
            ref var entry = ref hour.Entries[q];
            var track = _tracks[q];
            var found = _model.Rules == CemsRules.Hj75 && q < _gases.Length ? entry.Rate : entry.Value;
            if (found is { } value)
            {
                Resolve(q, value);
                track.Take(value, hour.Bin, _start / HourMs);
                entry.Modc = _model.Rules == CemsRules.Part75 ? "01" : null;
                entry.Availability = track.Percent;
                continue;
            }

            track.Miss(_start / HourMs);
            entry.Availability = track.Percent;
            entry.Missing = track.Missing;
            if (track.Waits)
            {
                entry.IsWaiting = true;
            }
            else
            {
                entry.Rule = "NOT-COVERED";
            }
        }
    }

    /// <summary>Decides the missing period of a quantity for all hours that wait for it.</summary>
    private void Resolve(int q, decimal? after)
    {
        if (_tracks[q].Missing == 0)
        {
            return;
        }

        foreach (var hour in _waiting)
        {
            if (!hour.Entries[q].IsWaiting)
            {
                continue;
            }

            ref var entry = ref hour.Entries[q];
            var (substitute, refusal) = _tracks[q].Resolve(after, hour.Bin);
            entry.IsWaiting = false;
            entry.Rule = substitute.Rule;
            entry.Modc = substitute.Modc;
            entry.Lookback = substitute.Lookback;
            entry.Missing = _tracks[q].Missing;
            entry.Availability = _tracks[q].Percent;
            entry.Note = refusal ?? entry.Note;
            if (_model.Rules == CemsRules.Hj75 && q < _gases.Length)
            {
                entry.Rate = substitute.Value;
            }
            else
            {
                entry.Value = substitute.Value;
            }
        }
    }

    /// <summary>Publishes the hour that ended, and in their order all hours that are final now.</summary>
    private void Release(CemsHour latest)
    {
        if (_waiting.Count > MostWaiting)
        {
            for (var q = 0; q < _tracks.Length; q++)
            {
                Resolve(q, null);
            }
        }

        if (!latest.IsFinal)
        {
            Publish(latest, false);
        }

        ReleaseFinal();
    }

    /// <summary>Publishes, in their order, the hours that are final now.</summary>
    private void ReleaseFinal()
    {
        while (_waiting.TryPeek(out var hour) && hour.IsFinal)
        {
            _waiting.Dequeue();
            Publish(hour, true);
            if (_model.Rules == CemsRules.Hj75 && hour.Start >= _keptFrom && Array.Exists(_calibrations, c => c.LastPassed is not null))
            {
                _kept.Enqueue(hour);
            }
        }

        ForgetKept();
    }

    /// <summary>What no check can take back any more is not kept: hours before the last that passed, and more than <see cref="MostKept"/>.</summary>
    private void ForgetKept()
    {
        var oldest = long.MaxValue;
        foreach (var calibration in _calibrations)
        {
            oldest = Math.Min(oldest, calibration.LastPassed ?? long.MaxValue);
        }

        while (_kept.TryPeek(out var hour) && (_kept.Count > MostKept || hour.Start + hour.Width <= oldest))
        {
            _kept.Dequeue();
        }
    }

    /// <summary>HJ 75: an analyser whose check fails was out of control from the last that passed. Its hours since then are missing, and wait like those that follow for the test that passes.</summary>
    /// <param name="i">The gas.</param>
    /// <param name="passed">When the last check that passed ended.</param>
    /// <returns>How many hours the missing period has more now, and how many of them counted before.</returns>
    private (int Hours, int Counted) TakeBack(int i, long passed)
    {
        var (hours, counted) = (0, 0);
        List<CemsHour> again = [], kept = [];
        foreach (var hour in _kept)
        {
            var isTaken = hour.Start + hour.Width > passed && hour.Entries[i].IsValid;
            (isTaken ? again : kept).Add(hour);
        }

        foreach (var hour in (CemsHour[])[.. again, .. _waiting])
        {
            ref var entry = ref hour.Entries[i];
            if (hour.Start + hour.Width > passed && entry.IsValid)
            {
                // An hour of the gas whose mass was missing already, for want of the flow, has never counted; it belongs to the period that runs, or to one that has ended.
                hours += entry.IsWaiting ? 0 : 1;
                counted += entry is { Rate: not null, Rule: null } ? 1 : 0;
                (entry.Value, entry.Rate, entry.Corrected, entry.IsValid, entry.IsWaiting) = (null, null, null, false, true);
                (entry.Flag, entry.Calibration, entry.Missing) = (CemsFlag.Fault, CalibrationStatus.TestFailed, _tracks[i].Missing + hours);
                entry.Note = $"taken back: a check failed, and the last that passed was at {new Instant(passed)}";
            }
        }

        if (again.Count > 0)
        {
            // They go before what waits: hours leave in their order.
            CemsHour[] waiting = [.. again, .. _waiting];
            _waiting.Clear();
            Array.ForEach(waiting, _waiting.Enqueue);
            _kept.Clear();
            kept.ForEach(_kept.Enqueue);
            again.ForEach(hour => Publish(hour, false));
        }

        return (hours, counted);
    }

    private void Publish(CemsHour hour, bool isFinal)
    {
        var quantities = new List<CemsQuantity>(hour.Entries.Length);
        decimal? carbon = null;
        string? why = null;
        var isSubstituted = false;
        for (var q = 0; q < hour.Entries.Length; q++)
        {
            ref var entry = ref hour.Entries[q];
            var kilograms = isFinal && q < _gases.Length ? Mass(q, hour, ref entry) : null;
            if (q < _gases.Length && _model.Gases[q].Gas == "co2")
            {
                carbon = kilograms;
                why = entry.Note ?? entry.Rule;
            }

            isSubstituted |= entry.Rule is not null && (q >= _gases.Length || _model.Gases[q].Gas == "co2");
            quantities.Add(new()
            {
                Name = NameOf(q),
                Unit = UnitOf(q),
                Value = entry.Value,
                IsValid = entry.IsValid,
                Flag = entry.Flag,
                Points = entry.Points,
                Calibration = entry.Calibration,
                AvailabilityPercent = entry.Availability,
                Rule = entry.Rule,
                Modc = entry.Modc,
                Lookback = entry.Lookback,
                MissingHours = entry.Missing,
                Corrected = entry.Corrected,
                Kilograms = kilograms,
                Coverage = entry.Coverage,
                Note = entry.Note,
            });
        }

        _sink.CemsHour(new()
        {
            Device = Device.Index,
            Start = new(hour.Start),
            Width = TimeSpan.FromMilliseconds(hour.Width),
            Era = hour.Era,
            Cut = hour.Cut,
            Rules = _model.Rules,
            Revision = ++hour.Revision,
            IsFinal = isFinal,
            OperatingTime = hour.OperatingTime,
            OxygenPercent = hour.OxygenPercent,
            Quantities = quantities,
        });
        if (isFinal && hour.Entries.Length > 0 && _model.Gases.Any(g => g.Gas == "co2"))
        {
            Account(hour, quantities, carbon, why, isSubstituted);
        }
    }

    /// <summary>kg of the hour by the rules; null where the rules give none or something is missing, which the note says.</summary>
    private decimal? Mass(int q, CemsHour hour, ref CemsEntry entry)
    {
        try
        {
            switch (_model.Rules)
            {
                case CemsRules.Hj75:
                    return entry.Rate * hour.OperatingTime;
                case CemsRules.EuMrr:
                    if (hour.Entries[_flow].Value is not { } dry)
                    {
                        entry.Note ??= "the flow is missing, and these rules have no substitute for it: use a mass or energy balance";
                        return null;
                    }

                    return entry.Value is { } value ? Rate(q, value, dry) * hour.OperatingTime : null;
                default:
                    return entry.Value is not { } gas || hour.Entries[_flow].Value is not { } scfh ? null
                        : _model.Gases[q].Gas == "co2" ? Tons(q, gas, scfh, hour) * Part75.KilogramsPerTon
                        : Pounds(q, gas, scfh, hour, ref entry) * Part75.KilogramsPerPound;
            }
        }
        catch (EmissionRefusedException e)
        {
            entry.Note ??= e.Message;
            return null;
        }
    }

    private decimal? Pounds(int q, decimal value, decimal scfh, CemsHour hour, ref CemsEntry entry)
    {
        var gas = _model.Gases[q];
        if (_gases[q].Dimension != Dimension.VolumeFraction)
        {
            entry.Note ??= $"{gas.Gas} is in mg/m3; its mass under Part 75 is made from ppm";
            return null;
        }

        var moisture = _moisture >= 0 ? hour.Entries[_moisture].Value : _model.MoisturePercent;
        return Part75.Pounds(gas.Gas == "so2" ? Part75.PoundsPerScfPpmSo2 : Part75.PoundsPerScfPpmNox, value, scfh, hour.OperatingTime, gas.IsWet, moisture);
    }

    private decimal Tons(int q, decimal value, decimal scfh, CemsHour hour)
    {
        var gas = _model.Gases[q];
        var moisture = _moisture >= 0 ? hour.Entries[_moisture].Value : _model.MoisturePercent;
        var co2 = !gas.IsFromOxygen ? value
            : gas.IsWet ? Part75.Co2FromWetOxygen(value, _fuel!.Fc, _fuel.Fd, moisture)
            : Part75.Co2FromDryOxygen(value, _fuel!.Fc, _fuel.Fd);
        return (gas.IsWet ? Part75.MassWet(co2, scfh, hour.OperatingTime) : Part75.MassDry(co2, scfh, hour.OperatingTime, moisture)).Tons;
    }

    /// <summary>Enters the CO2 of a final hour into the carbon account: once, and for all of it that was watched.</summary>
    private void Account(CemsHour hour, List<CemsQuantity> quantities, decimal? kilograms, string? why, bool isSubstituted)
    {
        // An hour that is stated again leaves the chain of remainders as it is: what followed it has its own.
        var isFirst = hour.Entered++ == 0;
        var carried = hour.Carried = isFirst ? _carried : hour.Carried;
        var sum = ((kilograms ?? 0) * 1_000_000) + carried;
        var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
        _carried = isFirst ? sum - whole : _carried;
        _sink.Emission(new()
        {
            Device = Device.Index,
            Account = EmissionAccount.Device,
            Start = new(hour.Start),
            Width = TimeSpan.FromMilliseconds(hour.Width),
            Era = hour.Era,
            Method = StackMethods.NameOf(_model.Rules),
            Scope = 1,
            ActivityKWh = 0,
            Milligrams = (long)whole,
            FactorId = "none",
            FactorKgPerKWh = 0,
            FactorNote = kilograms is null ? $"not known: {why ?? "something that the mass needs is missing"}" : isSubstituted ? StackMethods.SubstitutedNote : null,
            UncertaintyPercent = kilograms is null ? double.NaN : _model.UncertaintyPercent,

            // What stands in was not heard from the stack.
            Coverage = kilograms is null || isSubstituted ? 0 : Heard(hour),
            CountsTowardSite = false,
            Allocated = false,
            Cut = hour.Cut,
            Carried = carried,
            Detail = new(kilograms ?? 0, "kg", 1, "CO2", null, null)
            {
                Stack = new(hour.OperatingTime, [.. quantities.Select(q => new StackQuantity(q.Name, q.IsValid, q.Flag, q.Rule, q.AvailabilityPercent, q.Kilograms))]) { Revision = hour.Entered },
            },
        });
    }

    /// <summary>The share of the hour in which all that its CO2 is made from was heard.</summary>
    private double Heard(CemsHour hour)
    {
        var least = 1.0;
        for (var q = 0; q < hour.Entries.Length; q++)
        {
            least = q >= _gases.Length || _model.Gases[q].Gas == "co2" ? Math.Min(least, hour.Entries[q].Coverage) : least;
        }

        return least;
    }

    private string NameOf(int q) => q == _flow ? "flow" : q == _moisture ? "moisture" : _model.Gases[q].Gas;

    private string UnitOf(int q) =>
        q == _flow ? _model.Rules == CemsRules.Part75 ? "[ft3_i]/h" : "m3/h"
        : q == _moisture || _model.Gases[q].Gas == "co2" ? "%{vol}"
        : _model.Rules == CemsRules.Part75 && _gases[q].Dimension == Dimension.VolumeFraction ? "[ppm]"
        : "mg/m3";

    private void FindPeriods(long time)
    {
        // A clock that was set back is in an earlier day or quarter again; one that was set forward ends them with the next hour.
        var (day, period) = (_grid.Containing(24 * HourMs, time).End, PeriodEnd(time));
        _dayEnd = _dayEnd == 0 ? day : Math.Min(_dayEnd, day);
        _periodEnd = _periodEnd == 0 ? period : Math.Min(_periodEnd, period);
    }

    /// <summary>A day, and a quarter or year of the rules, may have ended with the hour.</summary>
    private void EndPeriods(long end)
    {
        if (end >= _dayEnd)
        {
            _dayEnd = _grid.Containing(24 * HourMs, end).End;
            foreach (var permit in _permits)
            {
                permit?.EndDay(end, _sink);
            }
        }

        if (end >= _periodEnd && _model.Rules != CemsRules.Part75)
        {
            // What waits is decided by the period that ends: the next one knows nothing yet.
            for (var q = 0; q < _tracks.Length; q++)
            {
                Resolve(q, null);
                _tracks[q].BeginPeriod();
            }

            _kept.Clear();
            _keptFrom = end;
            _periodEnd = PeriodEnd(end);
        }
    }

    /// <summary>End of the local quarter (HJ 75) or year (EU) that contains <paramref name="time"/>.</summary>
    private long PeriodEnd(long time)
    {
        if (_model.Rules == CemsRules.Hj75)
        {
            return QuarterEnd(time, 0);
        }

        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), _site.TimeZone);
        var next = new DateTime(local.Year + 1, 1, 1);
        return new DateTimeOffset(next, _site.TimeZone.GetUtcOffset(next)).ToUnixTimeMilliseconds();
    }

    /// <summary>End of the local quarter that comes <paramref name="after"/> quarters after the one that contains <paramref name="time"/>.</summary>
    private long QuarterEnd(long time, int after)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), _site.TimeZone);
        var next = new DateTime(local.Year, (((local.Month - 1) / 3) * 3) + 1, 1).AddMonths(3 * (after + 1));
        return new DateTimeOffset(next, _site.TimeZone.GetUtcOffset(next)).ToUnixTimeMilliseconds();
    }
}
