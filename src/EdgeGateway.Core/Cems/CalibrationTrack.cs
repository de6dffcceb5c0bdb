using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>The daily calibrations of one analyser: which gas flows, what it read, and whether the analyser is in control. Times are Unix milliseconds.</summary>
/// <param name="gas">The gas.</param>
/// <param name="rules">The rules in force.</param>
internal sealed class CalibrationTrack(CemsGasModel gas, CemsRules rules)
{
    private const long HourMs = 3_600_000;

    /// <summary>Zero and span belong to one test when they are not further apart.</summary>
    private const long TestMs = 4 * HourMs;

    // HJ 75-2017, recalled and to be confirmed on a copy: percent of span beyond which a gas analyser is out of control.
    private const decimal HjZeroPercent = 5;
    private const decimal HjSpanPercent = 10;

    private long? _testHour;
    private TestResult _result;
    private long _zeroPassed = long.MinValue;
    private long _spanPassed = long.MinValue;
    private long? _firstHour;
    private long? _passed;
    private bool _hasExpired;
    private bool _wasDown;
    private bool _hasFailed;
    private bool _hasPassed;
    private int _operatingHours;

    // A chart for each level.
    private DriftSums _zeroDrift;
    private DriftSums _spanDrift;

    // The cycle that runs.
    private CemsState _phase;
    private decimal? _read;
    private decimal? _reading;

    /// <summary>When the last test that passed ended; null when none has.</summary>
    public long? LastPassed => _passed;

    /// <summary>Whether a check failed in the hour that runs before one passed in it: what the analyser read since the last that passed before is doubted, however the hour ends.</summary>
    public bool HasFailed => _hasFailed;

    /// <summary>Whether a test passed in the hour that runs.</summary>
    public bool HasPassed => _hasPassed;

    /// <summary>When the last test that passed before the hour that runs ended; null when none has.</summary>
    public long? PassedBefore { get; private set; }

    /// <summary>Whether the rules require calibrations of this analyser.</summary>
    public bool IsRequired => gas.Span is not null;

    /// <summary>The analyser says which gas it measures; the end of a cycle is a check.</summary>
    /// <returns>The check that ended, or null.</returns>
    public CemsCalibrationRecord? Follow(CemsState state, int device, long time)
    {
        if (state == _phase)
        {
            // Only what the status confirms afterwards was read of this gas: the last reading of a cycle may be of the next.
            _read = _reading ?? _read;
            _reading = null;
            return null;
        }

        var (ended, read) = (_phase, _read);
        (_phase, _read, _reading) = (state, null, null);
        return ended switch
        {
            _ when !IsRequired => null,
            CemsState.ZeroGas => Check("zero", gas.ZeroGas, read, device, time, ""),
            CemsState.SpanGas when gas.SpanGas is { } span => Check("span", span, read, device, time, ""),
            _ => null,
        };
    }

    /// <summary>Takes what the analyser reads while calibration gas flows; the last reading that the status confirms counts.</summary>
    public void Read(decimal? value)
    {
        if (_phase is CemsState.ZeroGas or CemsState.SpanGas)
        {
            _reading = value ?? _reading;
        }
    }

    /// <summary>Judges a check and takes it into the state of the analyser.</summary>
    /// <param name="level"><c>zero</c> or <c>span</c>.</param>
    /// <param name="reference">Value of the gas.</param>
    /// <param name="measured">The reading; null: aborted.</param>
    /// <param name="device">Index of the device.</param>
    /// <param name="time">When it ended.</param>
    /// <param name="who">Who entered it; empty when it was recognised.</param>
    /// <exception cref="Accounting.EmissionRefusedException">The gas is negative or the reading absurd.</exception>
    public CemsCalibrationRecord Check(string level, decimal reference, decimal? measured, int device, long time, string who)
    {
        decimal? error = null;
        var result = TestResult.Aborted;
        DriftVerdict? drift = null;
        var sums = level == "zero" ? _zeroDrift : _spanDrift;
        if (measured is { } reading)
        {
            (error, result) = Judge(level, reference, reading);
            if (gas.Deviation is { } s)
            {
                (sums, drift) = En14181.Chart(sums, reading - reference, s);
                Keep(level, drift == DriftVerdict.Act ? default : sums);

                // EN 14181 has no other limit for a check: what calls for action is out of control.
                result = rules == CemsRules.EuMrr && drift == DriftVerdict.Act ? TestResult.Failed : result;
            }
        }

        var record = new CemsCalibrationRecord
        {
            Device = device,
            Gas = gas.Gas,
            Time = new(time),
            Level = level,
            Reference = reference,
            Measured = measured,
            Error = error,
            Result = result,
            Drift = drift,
            CusumUpper = sums.Upper,
            CusumLower = sums.Lower,
            Who = who,
        };
        Take(level, result, time);
        return record;
    }

    /// <summary>The hour that begins at <paramref name="hour"/> has ended: its control state.</summary>
    /// <param name="hour">Start of the hour.</param>
    /// <param name="isOperating">Whether the unit operated in it.</param>
    /// <returns>The state; null where no calibration is required.</returns>
    public CalibrationStatus? EndHour(long hour, bool isOperating)
    {
        _firstHour ??= hour;
        if (!IsRequired)
        {
            return null;
        }

        int? since = _testHour is { } test ? (int)Math.Clamp((hour - test) / HourMs, 0, 1_000_000) : null;
        if (since >= DailyCalibration.LifeHours && !_hasExpired)
        {
            (_hasExpired, _wasDown, _operatingHours) = (true, !isOperating, 0);
        }

        _operatingHours += isOperating && _wasDown ? 1 : 0;
        var status = DailyCalibration.StatusOf(new()
        {
            HoursSinceTest = since,
            LastResult = _result,
            WasDown = _wasDown,
            OperatingHoursSinceRestart = _wasDown ? _operatingHours : null,
            HoursSinceCertification = (int)Math.Clamp((hour - _firstHour.Value) / HourMs, 0, 1_000_000),
        });

        // Only Part 75 ends the life of a passed test by hours; elsewhere a test that is late is for the permit.
        return rules == CemsRules.Part75 ? status
            : status is CalibrationStatus.Expired or CalibrationStatus.Grace ? CalibrationStatus.InControl
            : status == CalibrationStatus.NoPriorTest ? CalibrationStatus.Undetermined
            : status;
    }

    /// <summary>The next hour begins.</summary>
    public void BeginHour() => (_hasFailed, _hasPassed, PassedBefore) = (false, false, _passed);

    /// <summary>The wall clock was set by <paramref name="milliseconds"/>.</summary>
    public void Shift(long milliseconds)
    {
        PassedBefore += milliseconds;

        // Whole hours stay whole: the hour of a test is counted from, not compared with.
        _testHour += milliseconds;
        _firstHour += milliseconds;
        _passed += milliseconds;
        _zeroPassed += _zeroPassed == long.MinValue ? 0 : milliseconds;
        _spanPassed += _spanPassed == long.MinValue ? 0 : milliseconds;
    }

    public void Save(StateWriter writer, int version)
    {
        writer.Write(_testHour.HasValue);
        writer.Write(_testHour.GetValueOrDefault());
        writer.Write((byte)_result);
        writer.Write(_zeroPassed);
        writer.Write(_spanPassed);
        writer.Write(_firstHour.HasValue);
        writer.Write(_firstHour.GetValueOrDefault());
        writer.Write(_hasExpired);
        writer.Write(_wasDown);
        writer.Write(_operatingHours);
        writer.Write(_zeroDrift.Upper);
        writer.Write(_zeroDrift.Lower);
        writer.Write((byte)_phase);
        writer.Write(_read);
        writer.Write(_reading);
        writer.Write(_passed.HasValue);
        writer.Write(_passed.GetValueOrDefault());
        writer.Write(_spanDrift.Upper);
        writer.Write(_spanDrift.Lower);
        if (version > 2)
        {
            writer.Write(_hasFailed);
            writer.Write(_hasPassed);
            writer.Write(PassedBefore.HasValue);
            writer.Write(PassedBefore.GetValueOrDefault());
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the station's state.</param>
    public void Load(ref StateReader reader, int version)
    {
        _testHour = ReadTime(ref reader);
        _result = (TestResult)reader.ReadByte();
        _zeroPassed = reader.ReadInt64();
        _spanPassed = reader.ReadInt64();
        _firstHour = ReadTime(ref reader);
        _hasExpired = reader.ReadBoolean();
        _wasDown = reader.ReadBoolean();
        _operatingHours = reader.ReadInt32();
        _zeroDrift = new(reader.ReadDecimal(), reader.ReadDecimal(), DriftVerdict.InControl);
        _phase = (CemsState)reader.ReadByte();
        _read = reader.ReadNullableDecimal();
        _reading = reader.ReadNullableDecimal();
        _passed = version > 1 ? ReadTime(ref reader) : null;

        // The first version kept one chart for both levels.
        _spanDrift = version > 1 ? new(reader.ReadDecimal(), reader.ReadDecimal(), DriftVerdict.InControl) : _zeroDrift;
        if (version > 2)
        {
            (_hasFailed, _hasPassed, PassedBefore) = (reader.ReadBoolean(), reader.ReadBoolean(), ReadTime(ref reader));
        }
        else
        {
            (_hasFailed, _hasPassed, PassedBefore) = (false, false, _passed);
        }
    }

    private void Keep(string level, DriftSums sums)
    {
        if (level == "zero")
        {
            _zeroDrift = sums;
        }
        else
        {
            _spanDrift = sums;
        }
    }

    private static long? ReadTime(ref StateReader reader)
    {
        var has = reader.ReadBoolean();
        var time = reader.ReadInt64();
        return has ? time : null;
    }

    private (decimal Error, TestResult Result) Judge(string level, decimal reference, decimal reading)
    {
        var component = gas.Gas switch
        {
            "co2" => gas.IsFromOxygen ? CemsComponent.O2 : CemsComponent.Co2,
            "so2" => CemsComponent.So2,
            _ => CemsComponent.Nox,
        };
        if (rules == CemsRules.Part75)
        {
            var judged = DailyCalibration.Judge(component, gas.Span!.Value, reference, reading);
            return (judged.Error, judged.Result);
        }

        CemsLimits.RequireQuantity(reference, "The value of the calibration gas");
        CemsLimits.RequireQuantity(Math.Abs(reading), "The reading");
        var percent = (Math.Abs(reading - reference) / gas.Span!.Value * 100).To(1);
        var limit = rules == CemsRules.EuMrr ? decimal.MaxValue : level == "zero" ? HjZeroPercent : HjSpanPercent;
        return (percent, percent <= limit ? TestResult.Passed : TestResult.Failed);
    }

    private void Take(string level, TestResult result, long time)
    {
        if (result is TestResult.Failed or TestResult.Aborted)
        {
            Conclude(result, time);
            return;
        }

        var other = level == "zero" ? _spanPassed : _zeroPassed;
        if (level == "zero")
        {
            _zeroPassed = time;
        }
        else
        {
            _spanPassed = time;
        }

        if (other != long.MinValue && time - other <= TestMs)
        {
            Conclude(result, time);
        }
    }

    private void Conclude(TestResult result, long time)
    {
        // A test is over: the next needs both levels anew.
        (_zeroPassed, _spanPassed) = (long.MinValue, long.MinValue);
        _result = result;
        var passed = result is TestResult.Passed or TestResult.PassedAlternative;
        _hasFailed |= result == TestResult.Failed && !_hasPassed;
        _hasPassed |= passed;
        _passed = passed ? time : _passed;
        _testHour = time - (time % HourMs);
        (_hasExpired, _wasDown, _operatingHours) = (false, false, 0);
    }
}
