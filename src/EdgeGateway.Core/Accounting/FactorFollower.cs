using System.Globalization;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// Lets a factor follow the CO2 that is measured in the stack, hour by hour (<see cref="AdaptiveFactor"/>; Chen et al. 2021, section 3.1). It is a second, labelled figure:
/// entries keep the official factor until a person approves the one that was learnt, and then have that one, as it stood at the approval.
/// </summary>
/// <remarks>An hour counts only if all of it is known on both sides: four whole intervals, nothing allocated, nothing cut, no doubtful reading.</remarks>
internal sealed class FactorFollower
{
    private const long HourMs = 3_600_000;
    private const byte Version = 1;

    /// <summary>Hours after which it is known at which load a device runs.</summary>
    private const int HoursUntilLoad = 24;

    private readonly AdaptModel _model;
    private readonly double _activityPercent;
    private readonly string _learntFor;
    private readonly decimal _kilogramsPerUnit;
    private readonly long _hold;
    private readonly long _gap;
    private HeldValue _held;
    private MassInterval _open;
    private MassInterval _sealed;
    private bool _isSealed;
    private AdaptiveFactor _factor;
    private bool _hasFactor;
    private int _hours;
    private int _refused;
    private long _lastHour;
    private long _hour = long.MinValue;
    private int _quarters;
    private decimal _hourActivity;
    private decimal _hourKilograms;
    private bool _isAssured;
    private decimal _carried;
    private decimal? _official;
    private Approval? _approval;
    private StackCheck _check = new();
    private StackDay? _dayOver;
    private bool? _judged;
    private int _loadHours;
    private decimal _loadSum;
    private decimal _loadMost;

    /// <param name="model">What the site declares.</param>
    /// <param name="mass">The counter of the CO2 in the stack.</param>
    /// <param name="activityPercent">Half width at 95 % of the activity, percent.</param>
    /// <param name="learntFor">What one unit of the activity is: unit, fuel and reference state.</param>
    /// <exception cref="ArgumentException">The point is no counter of mass, or the uncertainty of the activity is not stated.</exception>
    public FactorFollower(AdaptModel model, PointModel mass, double activityPercent, string learntFor)
    {
        Mass = mass;
        (_model, _activityPercent, _learntFor) = (model, activityPercent, learntFor);
        _kilogramsPerUnit = mass.Kind != PointKind.Counter ? throw new ArgumentException($"adapt: '{mass.Id}' is no counter")
            : mass.Unit switch { "kg" => 1, "t" => 1000, _ => throw new ArgumentException($"adapt: '{mass.Id}' is in {mass.Unit}; the mass of CO2 needs a register in kg or t") };
        if (double.IsNaN(activityPercent))
        {
            throw new ArgumentException("adapt: how far a factor may be trusted depends on the meter of the activity; write 'uncertaintyPercent' of the account");
        }

        _hold = HeldValue.HoldMilliseconds(mass.Period);
        _gap = CarbonAccount.GapOf(mass);
    }

    /// <summary>The counter of the CO2 in the stack.</summary>
    public PointModel Mass { get; }

    /// <summary>What was known for another fuel or unit and is forgotten, because the configuration has changed; null when nothing was.</summary>
    public ForgottenFactor? Forgotten { get; private set; }

    /// <summary>The factor that a person approved; null while the official one is in force.</summary>
    public EmissionRate? Approved(EmissionRate? official) => _approval is not { } approval ? null
        : new($"adapted/{approval.At}", approval.Factor, approval.Percent, string.Create(CultureInfo.InvariantCulture, $"approved by {approval.Who} at {approval.At} in place of {official?.FactorId ?? "no official factor"}{(official is null ? "" : $" = {official.KgCo2e:0.############}")}"));

    /// <summary>Begins an interval.</summary>
    public void Open(long start) => _open = new() { Start = start };

    /// <summary>The stack is not known from here on.</summary>
    public void Lose(long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        _held.Drop();
    }

    /// <summary>Takes a believed reading of the stack's counter.</summary>
    public void Read(decimal growth, bool isGood, long previousTime, long time, long intervalEnd)
    {
        MoveTo(time, intervalEnd);
        _held.Set(0, Math.Max(time, _open.Start), _hold);
        _open.Kilograms += growth * _kilogramsPerUnit;
        _open.IsDoubtful |= !isGood || (growth > 0 && previousTime < _open.Start && time - previousTime > _gap);
    }

    /// <summary>Forgets what is open, because records were lost.</summary>
    public void Forget()
    {
        _held.Drop();
        (_open, _isSealed, _hour) = (default, false, long.MinValue);
    }

    public void Shift(long milliseconds) => _held.Shift(milliseconds);

    /// <summary>Closes the interval: learns when an hour is whole, and gives the second figure of its entry.</summary>
    /// <param name="start">Begin of the interval, Unix milliseconds.</param>
    /// <param name="end">Its end.</param>
    /// <param name="width">Its nominal width.</param>
    /// <param name="activity">What was burnt in it.</param>
    /// <param name="isWhole">True when the activity is known for all of it and all of it flowed in it.</param>
    /// <param name="official">The official factor at the time; null when there is none.</param>
    public AdaptedFigure? Close(long start, long end, long width, decimal activity, bool isWhole, EmissionRate? official)
    {
        if (!_isSealed)
        {
            Seal(end);
        }

        _isSealed = false;
        _official = official?.KgCo2e;
        if (!_hasFactor && official is not null)
        {
            var prior = (double)official.KgCo2e;
            var half = _model.PriorPercent / 100 * prior / 2;
            (_factor, _hasFactor) = (new(Math.Clamp(prior, _model.Least, _model.Most), half * half), true);
        }

        var isKnown = isWhole && _sealed.Covered >= width && !_sealed.IsDoubtful;
        try
        {
            _dayOver = _check.Take(start, width, isKnown && official is not null ? (activity * official.KgCo2e, _sealed.Kilograms) : null);
            Gather(start, activity, isKnown);
            if (!_hasFactor)
            {
                return null;
            }

            var factor = (decimal)_factor.Factor;
            var sum = (activity * factor * 1_000_000m) + _carried;
            var whole = Math.Clamp(decimal.Truncate(sum), long.MinValue, long.MaxValue);
            _carried = sum - whole;
            return new(factor, Percent, (long)whole, _hours, _refused, _official, _approval is not null);
        }
        catch (Exception e) when (e is OverflowException or EmissionRefusedException)
        {
            // More than can be computed, as the entry says itself, or known without any uncertainty: nothing is learnt from this hour.
            _isAssured = false;
            return null;
        }
    }

    /// <summary>Whether the hour that the last interval ended was refused; null when none ended, or it was not assured.</summary>
    public bool? TakeJudged()
    {
        var judged = _judged;
        _judged = null;
        return judged;
    }

    /// <summary>What the day that the last interval ended showed of fuel and stack, when that begins (true) or ends (false) a difference, and since when it stood; null when nothing changes.</summary>
    public (bool Differs, Instant Since, StackDay Day)? JudgeDay()
    {
        if (_dayOver is not { } day)
        {
            return null;
        }

        _dayOver = null;
        var since = _check.DiffersSince;
        return _check.Judge(day) is not { } differs ? null : (differs, differs ? day.Day : new(since), day);
    }

    /// <summary>Ends a difference that stands, because the configuration ends; gives since when it stood, null when none does.</summary>
    public Instant? EndDifference()
    {
        var since = _check.DiffersSince;
        _check.End();
        return since == 0 ? null : new(since);
    }

    /// <summary>What is known of the factor, for people.</summary>
    public AdaptedFactorState? State(string device, string method) => !_hasFactor ? null
        : new(device, method, (decimal)_factor.Factor, Percent, _hours, _refused, _official, _approval?.Factor, _approval?.Who, _approval?.At) { LearntFor = _learntFor, LoadShare = _loadHours < HoursUntilLoad ? null : (double)(_loadSum / _loadHours / _loadMost) };

    /// <summary>Puts the factor as it is now in the place of the official one.</summary>
    /// <returns>Why it is refused; null when it is done.</returns>
    public string? Approve(string who, Instant now)
    {
        if (!_hasFactor || _hours == 0)
        {
            return "no hour has moved the factor yet, so there is nothing to approve";
        }

        _approval = new((decimal)_factor.Factor, Percent, who, now.UnixMilliseconds);
        return null;
    }

    /// <summary>Puts the official factor back into force.</summary>
    /// <returns>Why it is refused; null when it is done.</returns>
    public string? Withdraw()
    {
        if (_approval is null)
        {
            return "the official factor is in force already";
        }

        _approval = null;
        return null;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Version);
        _held.Save(writer);
        _open.Save(writer);
        _sealed.Save(writer);
        writer.Write(_isSealed);
        writer.Write(_hasFactor);
        writer.Write(_factor.Factor);
        writer.Write(_factor.Variance);
        writer.Write(_hours);
        writer.Write(_refused);
        writer.Write(_factor.RefusedInRow);
        writer.Write(_lastHour);
        writer.Write(_hour);
        writer.Write(_quarters);
        writer.Write(_hourActivity);
        writer.Write(_hourKilograms);
        writer.Write(_isAssured);
        writer.Write(_carried);
        writer.Write(_official);
        writer.Write(_approval is not null);
        if (_approval is { } approval)
        {
            writer.Write(approval.Factor);
            writer.Write(approval.Percent);
            writer.Write(approval.Who);
            writer.Write(approval.AtMs);
        }

        // Last: a program that does not know them leaves them unread.
        writer.Write(_learntFor);
        writer.Write(_loadHours);
        writer.Write(_loadSum);
        writer.Write(_loadMost);
        _check.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        if (reader.ReadByte() is not Version and var version)
        {
            throw new InvalidDataException($"The state of a factor that follows a stack has version {version}; this program reads version {Version}.");
        }

        _held.Load(ref reader);
        _open.Load(ref reader);
        _sealed.Load(ref reader);
        _isSealed = reader.ReadBoolean();
        _hasFactor = reader.ReadBoolean();
        _factor = new(reader.ReadDouble(), reader.ReadDouble());
        _hours = reader.ReadInt32();
        _refused = reader.ReadInt32();
        _factor = _factor with { RefusedInRow = reader.ReadInt32() };
        _lastHour = reader.ReadInt64();
        _hour = reader.ReadInt64();
        _quarters = reader.ReadInt32();
        _hourActivity = reader.ReadDecimal();
        _hourKilograms = reader.ReadDecimal();
        _isAssured = reader.ReadBoolean();
        _carried = reader.ReadDecimal();
        _official = reader.ReadNullableDecimal();
        _approval = reader.ReadBoolean() ? new(reader.ReadDecimal(), reader.ReadDouble(), reader.ReadString(), reader.ReadInt64()) : null;
        var learntFor = reader.AtEnd ? _learntFor : reader.ReadString();
        (_loadHours, _loadSum, _loadMost) = reader.AtEnd ? default : (reader.ReadInt32(), reader.ReadDecimal(), reader.ReadDecimal());
        if (!reader.AtEnd)
        {
            _check.Load(ref reader);
        }

        if (learntFor != _learntFor)
        {
            Unlearn(learntFor);
        }
    }

    /// <summary>Half width at 95 %, percent: the variance of the filter, and what averaging does not remove.</summary>
    private double Percent
    {
        get
        {
            var systematic = _model.SystematicPercent / 200 * _factor.Factor;
            return _factor.Factor > 0 ? 100 * 2 * Math.Sqrt(_factor.Variance + (systematic * systematic)) / _factor.Factor : double.NaN;
        }
    }

    /// <summary>Begins anew with the official factor; what was approved for another fuel or unit is in force no more.</summary>
    private void Unlearn(string learntFor)
    {
        if (_hours > 0 || _approval is not null)
        {
            Forgotten = new((decimal)_factor.Factor, Percent, _hours, learntFor, _learntFor, _approval?.Factor, _approval?.Who, _approval?.At);
        }

        (_held, _open, _sealed, _isSealed) = (default, default, default, false);
        (_factor, _hasFactor, _hours, _refused, _lastHour) = (default, false, 0, 0, 0);
        (_hour, _quarters, _hourActivity, _hourKilograms, _isAssured) = (long.MinValue, 0, 0, 0, false);
        (_carried, _official, _approval) = (0, null, null);
        (_loadHours, _loadSum, _loadMost) = (0, 0, 0);
        (_check, _dayOver) = (new(), null);
    }

    private void MoveTo(long time, long intervalEnd)
    {
        if (!_isSealed && time >= intervalEnd)
        {
            Seal(intervalEnd);
            _isSealed = true;
        }

        _open.Covered += _held.Take(time);
    }

    private void Seal(long end)
    {
        _open.Covered += _held.Take(end);
        _sealed = _open;
        _open = new() { Start = end };
    }

    private void Gather(long start, decimal activity, bool isAssured)
    {
        var hour = start / HourMs;
        if (hour != _hour)
        {
            (_hour, _quarters, _hourActivity, _hourKilograms, _isAssured) = (hour, 0, 0, 0, true);
        }

        _quarters++;
        _hourActivity += activity;
        _hourKilograms += _sealed.Kilograms;
        _isAssured &= isAssured;
        if (_quarters == HourMs / CarbonBook.WidthMs && _hasFactor && _hourActivity > 0 && _hourKilograms >= 0)
        {
            Learn();
        }
    }

    private void Learn()
    {
        var deviation = _model.DriftPercentPerDay / 100 * _factor.Factor;
        var drift = deviation * deviation / 24;

        // Hours in which nothing could be learnt let it wander all the same.
        var missed = _lastHour == 0 ? 0 : Math.Clamp(_hour - _lastHour - 1, 0, 24 * 366);
        _lastHour = _hour;
        _factor = _factor with { Variance = _factor.Variance + (missed * drift) };
        var step = _factor.Follow(
            new((double)_hourKilograms, (double)_hourActivity, _model.MassPercent / 2, _activityPercent / 2, _isAssured), drift, _model.Least, _model.Most);
        _factor = step.State;
        _judged = _isAssured ? step.Refusal is not null : null;
        if (step.Refusal is null)
        {
            _hours++;
            (_loadHours, _loadSum, _loadMost) = (_loadHours + 1, _loadSum + _hourActivity, Math.Max(_loadMost, _hourActivity));
        }
        else if (_isAssured)
        {
            _refused++;
        }
    }

    /// <summary>What the stack's counter showed in one interval.</summary>
    private struct MassInterval
    {
        public long Start;
        public long Covered;
        public decimal Kilograms;
        public bool IsDoubtful;

        public readonly void Save(StateWriter writer)
        {
            writer.Write(Start);
            writer.Write(Covered);
            writer.Write(Kilograms);
            writer.Write(IsDoubtful);
        }

        public void Load(ref StateReader reader)
        {
            Start = reader.ReadInt64();
            Covered = reader.ReadInt64();
            Kilograms = reader.ReadDecimal();
            IsDoubtful = reader.ReadBoolean();
        }
    }

    private sealed record Approval(decimal Factor, double Percent, string Who, long AtMs)
    {
        public Instant At => new(AtMs);
    }
}

/// <summary>What was known of a factor whose account is of another fuel or unit now.</summary>
/// <param name="Factor">kg CO2 for one unit of <paramref name="LearntFor"/>, as learnt.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, percent.</param>
/// <param name="Hours">Hours that had moved it.</param>
/// <param name="LearntFor">What one unit of the activity was.</param>
/// <param name="Now">What it is now.</param>
/// <param name="ApprovedFactor">The factor that was in force by approval; null when the official one was.</param>
/// <param name="ApprovedBy">Who had approved it.</param>
/// <param name="ApprovedAt">When.</param>
public sealed record ForgottenFactor(
    decimal Factor, double UncertaintyPercent, int Hours, string LearntFor, string Now, decimal? ApprovedFactor, string? ApprovedBy, Instant? ApprovedAt);

/// <summary>A factor that follows a stack, as it stands.</summary>
/// <param name="Device">Id of the device whose account it is.</param>
/// <param name="Method">Method of the account.</param>
/// <param name="Factor">kg CO2 for one unit of the activity, as learnt.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, percent.</param>
/// <param name="Hours">Hours that have moved it.</param>
/// <param name="Refused">Hours that were refused because they lay too far from it.</param>
/// <param name="OfficialFactor">The factor of the factor set; null when there is none.</param>
/// <param name="ApprovedFactor">The factor in force by approval; null while the official one is.</param>
/// <param name="ApprovedBy">Who approved it.</param>
/// <param name="ApprovedAt">When.</param>
public sealed record AdaptedFactorState(
    string Device, string Method, decimal Factor, double UncertaintyPercent, int Hours, int Refused, decimal? OfficialFactor, decimal? ApprovedFactor, string? ApprovedBy, Instant? ApprovedAt)
{
    /// <summary>What one unit of the activity is: unit, fuel and reference state. Devices that have it in common say something of each other.</summary>
    public required string LearntFor { get; init; }

    /// <summary>Mean activity of the hours that moved it, as a share of that of the largest of them, 0 to 1; null while a day of them is not known.</summary>
    public double? LoadShare { get; init; }

    /// <summary>What devices of the same kind say of this factor; null when there is no other, or none has learnt.</summary>
    public FactorInCluster? Cluster { get; init; }
}

/// <summary>A device's factor among those of devices of its kind (<see cref="FactorClusters"/>): a third figure, for people who approve.</summary>
/// <param name="Name">What they have in common: unit, fuel and reference state.</param>
/// <param name="Load">Third of the load at which they run: <c>low</c>, <c>middle</c> or <c>high</c>.</param>
/// <param name="Devices">How many they are.</param>
/// <param name="Common">Their common factor, kg CO2 for one unit of the activity.</param>
/// <param name="CommonPercent">Half width of it at 95 %, percent.</param>
/// <param name="Shrunk">The device's own factor drawn towards it, by how sure each is.</param>
public sealed record FactorInCluster(string Name, string Load, int Devices, decimal Common, double CommonPercent, decimal Shrunk);
