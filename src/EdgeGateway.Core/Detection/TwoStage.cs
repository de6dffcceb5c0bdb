using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A finding with a warning stage and an alarm stage.</summary>
internal struct TwoStage(DelayedCondition warning, DelayedCondition alarm)
{
    private DelayedCondition _warning = warning;
    private DelayedCondition _alarm = alarm;

    /// <summary>Severity that stands; note when nothing does.</summary>
    public Severity Stands { get; private set; }

    /// <summary>When the standing finding began, Unix milliseconds; moves with the clock, for spans.</summary>
    public long Since { get; private set; }

    /// <summary>The same as it was published: from raise to clear it names the finding, so no step of the clock moves it.</summary>
    public long Identity { get; private set; }

    /// <summary>Takes one look; true when the severity changed.</summary>
    public bool Look(bool warnOn, bool warnOff, bool alarmOn, bool alarmOff, long time)
    {
        _warning.Look(warnOn, warnOff, time);
        _alarm.Look(alarmOn, alarmOff, time);
        var severity = _alarm.IsOn ? Severity.Alarm : _warning.IsOn ? Severity.Warning : Severity.Note;
        if (severity == Stands)
        {
            return false;
        }

        if (Stands == Severity.Note)
        {
            Since = _alarm.IsOn && !(_warning.IsOn && _warning.Began < _alarm.Began) ? _alarm.Began : _warning.Began;
            Identity = Since;
        }

        Stands = severity;
        return true;
    }

    /// <summary>Ends the finding at once; true when one stood.</summary>
    public bool Reset()
    {
        _warning.Reset();
        _alarm.Reset();
        var stood = Stands != Severity.Note;
        Stands = Severity.Note;
        return stood;
    }

    public void Shift(long milliseconds)
    {
        _warning.Shift(milliseconds);
        _alarm.Shift(milliseconds);
        Since += milliseconds;
    }

    public readonly void Save(StateWriter writer)
    {
        _warning.Save(writer);
        _alarm.Save(writer);
        writer.Write((byte)Stands);
        writer.Write(Since);
        writer.Write(Identity);
    }

    public void Load(ref StateReader reader)
    {
        _warning.Load(ref reader);
        _alarm.Load(ref reader);
        Stands = (Severity)reader.ReadByte();
        Since = reader.ReadInt64();
        Identity = reader.ReadInt64();
    }
}
