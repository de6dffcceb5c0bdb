using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Cems;

/// <summary>
/// One stack: makes an hour of validity, flags, concentrations, flow and mass from its points, keeps calibrations, look-back and availability, and decides
/// missing periods when they end. Hours are those of UTC; quarters, years and days those of the site. Times are Unix milliseconds.
/// </summary>
/// <remarks>
/// The first sample of the next hour ends an hour for all points. Nothing grows without bound: an hour waits at most for <see cref="MostWaiting"/> others, then its
/// missing period is decided without the hour after it.
/// </remarks>
internal sealed partial class CemsStation
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

    /// <summary>What two configurations must have in common for <see cref="SaveLasting"/> of one to be read by the other: rules, and what is accounted how.</summary>
    public string Layout => $"{LayoutVersion} {_model.Rules.Word()} {string.Join(',', _model.Gases.Select((g, i) => $"{g.Gas}{(g.IsFromOxygen ? "<o2" : "")}:{UnitOf(i)}{(g.IsWet ? "w" : "d")}"))} {_flow} {_moisture}";

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
            StoodHeard = _gases.Concat(_inputs.OfType<CemsChannel>()).Max(c => c.EndCoverage(_from, end)),
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
}
