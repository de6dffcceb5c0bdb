using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>What an analyser or a flow monitor measures, as the tests of 40 CFR Part 75 tell them apart.</summary>
public enum CemsComponent : byte
{
    /// <summary>Carbon dioxide, percent.</summary>
    Co2,

    /// <summary>Oxygen, percent.</summary>
    O2,

    /// <summary>Sulphur dioxide, ppm.</summary>
    So2,

    /// <summary>Nitrogen oxides, ppm.</summary>
    Nox,

    /// <summary>Flow, in the unit of its span.</summary>
    Flow,

    /// <summary>Mercury, ug/m3.</summary>
    Hg,

    /// <summary>Moisture, percent.</summary>
    H2o,
}

/// <summary>How a test ended.</summary>
public enum TestResult : byte
{
    /// <summary>Within the performance specification.</summary>
    Passed,

    /// <summary>Within the alternative performance specification.</summary>
    PassedAlternative,

    /// <summary>Outside both.</summary>
    Failed,

    /// <summary>Broken off.</summary>
    Aborted,
}

/// <summary>The error of one injection.</summary>
/// <param name="Error">Percent of span, or the difference where the component or the alternative specification is judged by it; rounded as judged.</param>
/// <param name="IsAlternative">Whether it passed by the alternative specification.</param>
/// <param name="Result">Passed, passed by the alternative, or failed.</param>
public readonly record struct CalibrationError(decimal Error, bool IsAlternative, TestResult Result);

/// <summary>Whether a component may be believed because of its daily calibrations.</summary>
public enum CalibrationStatus : byte
{
    /// <summary>IC: in control.</summary>
    InControl,

    /// <summary>IC-Grace: the last test has expired, and the unit has come back from a standstill not more than 8 operating hours ago.</summary>
    Grace,

    /// <summary>IC-Undetermined: newly certified, within its first 25 hours; no test is due yet.</summary>
    Undetermined,

    /// <summary>OOC-Expired.</summary>
    Expired,

    /// <summary>OOC-Test Failed.</summary>
    TestFailed,

    /// <summary>OOC-Test Aborted.</summary>
    TestAborted,

    /// <summary>OOC-No Prior Test.</summary>
    NoPriorTest,
}

/// <summary>What is known of a component's last daily calibration.</summary>
public readonly record struct CalibrationHistory
{
    /// <summary>Clock hours since the hour of the last test; null when there was none.</summary>
    public int? HoursSinceTest { get; init; }

    /// <summary>How it ended.</summary>
    public TestResult LastResult { get; init; }

    /// <summary>Whether the unit stood when the test expired.</summary>
    public bool WasDown { get; init; }

    /// <summary>Operating hours since the unit came back; null when it has not.</summary>
    public int? OperatingHoursSinceRestart { get; init; }

    /// <summary>Clock hours since the component was certified; null when that is long ago or not known.</summary>
    public int? HoursSinceCertification { get; init; }
}

/// <summary>Daily calibration error and its life: 40 CFR 75 appendix A 3.1, appendix B 2.1, as EPA's check engine judges them.</summary>
public static class DailyCalibration
{
    /// <summary>A passed test holds while fewer clock hours than these have passed since its hour.</summary>
    public const int LifeHours = 26;

    /// <summary>Last operating hour after a restart in which an expired test still holds.</summary>
    public const int GraceOperatingHours = 8;

    /// <summary>A newly certified component needs no test for so many hours.</summary>
    public const int CertifiedHours = 25;

    /// <summary>Judges one injection.</summary>
    /// <param name="component">What is tested; CO2, O2, SO2, NOx or flow.</param>
    /// <param name="span">Span of the analyser, in the unit of the readings.</param>
    /// <param name="reference">Value of the calibration gas.</param>
    /// <param name="measured">What the analyser read; may be below 0 at zero gas.</param>
    /// <param name="differentialPressure">Whether a flow monitor is of the differential-pressure type, whose readings are inches of water.</param>
    /// <exception cref="EmissionRefusedException">The span is not positive, the gas is negative, or the component has no daily calibration.</exception>
    public static CalibrationError Judge(CemsComponent component, decimal span, decimal reference, decimal measured, bool differentialPressure = false)
    {
        EmissionRefusedException.IfNotPositive(span, "The span");
        CemsLimits.RequireQuantity(span, "The span");
        CemsLimits.RequireQuantity(reference, "The value of the calibration gas");
        CemsLimits.RequireQuantity(Math.Abs(measured), "The reading");
        var difference = Math.Abs(reference - measured);
        if (component is CemsComponent.Co2 or CemsComponent.O2)
        {
            var error = difference.To(1);
            return new(error, false, error <= 1.0m ? TestResult.Passed : TestResult.Failed);
        }

        if (component is not (CemsComponent.So2 or CemsComponent.Nox or CemsComponent.Flow))
        {
            throw new EmissionRefusedException($"{component} has no daily calibration error by 40 CFR 75; CO2, O2, SO2, NOx and flow have.");
        }

        var isFlow = component == CemsComponent.Flow;
        var percent = (difference / span * 100).To(1);
        if (percent <= (isFlow ? 6.0m : 5.0m))
        {
            return new(percent, false, TestResult.Passed);
        }

        var (alternative, limit) = isFlow
            ? (difference.To(2), differentialPressure ? 0.02m : -1)
            : (difference.To(1), span <= 50 ? 5 : span <= 200 ? 10 : -1);
        return alternative <= limit ? new(alternative, true, TestResult.PassedAlternative) : new(percent, false, TestResult.Failed);
    }

    /// <summary>Whether the component is in control.</summary>
    /// <exception cref="EmissionRefusedException">A number of hours is negative.</exception>
    public static CalibrationStatus StatusOf(in CalibrationHistory history)
    {
        EmissionRefusedException.IfNegative(history.HoursSinceTest ?? 0, "The hours since the test");
        EmissionRefusedException.IfNegative(history.OperatingHoursSinceRestart ?? 0, "The operating hours since the restart");
        EmissionRefusedException.IfNegative(history.HoursSinceCertification ?? 0, "The hours since certification");
        if (history.HoursSinceTest is not { } hours)
        {
            return history.HoursSinceCertification <= CertifiedHours ? CalibrationStatus.Undetermined : CalibrationStatus.NoPriorTest;
        }

        return history.LastResult switch
        {
            TestResult.Failed => CalibrationStatus.TestFailed,
            TestResult.Aborted => CalibrationStatus.TestAborted,
            _ when hours < LifeHours => CalibrationStatus.InControl,
            _ when history is { WasDown: true, OperatingHoursSinceRestart: <= GraceOperatingHours } => CalibrationStatus.Grace,
            _ => CalibrationStatus.Expired,
        };
    }

    /// <summary>Whether values of a component in that state count.</summary>
    public static bool IsInControl(this CalibrationStatus status) => status is CalibrationStatus.InControl or CalibrationStatus.Grace or CalibrationStatus.Undetermined;

    /// <summary>The word of a state, as EPA's reports write it.</summary>
    public static string Word(this CalibrationStatus status) => status switch
    {
        CalibrationStatus.InControl => "IC",
        CalibrationStatus.Grace => "IC-Grace",
        CalibrationStatus.Undetermined => "IC-Undetermined",
        CalibrationStatus.Expired => "OOC-Expired",
        CalibrationStatus.TestFailed => "OOC-Test Failed",
        CalibrationStatus.TestAborted => "OOC-Test Aborted",
        CalibrationStatus.NoPriorTest => "OOC-No Prior Test",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    /// <summary>The word of a result, as EPA's reports write it.</summary>
    public static string Word(this TestResult result) => result switch
    {
        TestResult.Passed => "PASSED",
        TestResult.PassedAlternative => "PASSAPS",
        TestResult.Failed => "FAILED",
        TestResult.Aborted => "ABORTED",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, null),
    };
}
