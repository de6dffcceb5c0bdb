using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>A condition that must hold for a while before it counts, and be gone for a while before it no longer does.</summary>
/// <param name="onDelay">How long it must hold, milliseconds.</param>
/// <param name="offDelay">How long it must be gone, milliseconds.</param>
/// <param name="longestPause">Between two looks further apart than this nothing is known: what was waiting begins anew.</param>
internal struct DelayedCondition(long onDelay, long offDelay, long longestPause = long.MaxValue)
{
    private readonly long _onDelay = onDelay;
    private readonly long _offDelay = offDelay;
    private readonly long _longestPause = longestPause;
    private bool _pending;
    private long _looked;
    private long _since;

    /// <summary>True while the condition counts.</summary>
    public bool IsOn { get; private set; }

    /// <summary>When the condition that counts, or is waiting to count, began (Unix milliseconds).</summary>
    public long Began { get; private set; }

    /// <summary>Takes one look at the process.</summary>
    /// <param name="on">The condition holds.</param>
    /// <param name="off">The condition is clearly gone (beyond the dead band); neither on nor off keeps what is.</param>
    /// <param name="time">Unix milliseconds.</param>
    public void Look(bool on, bool off, long time)
    {
        var before = _looked;
        _looked = time;
        if (IsOn ? off : on)
        {
            Wait(before, time);
        }
        else
        {
            _pending = false;
        }
    }

    /// <summary>Forgets everything at once.</summary>
    public void Reset()
    {
        IsOn = false;
        _pending = false;
    }

    public void Shift(long milliseconds)
    {
        _since += milliseconds;
        _looked += milliseconds;
        Began += milliseconds;
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write(_pending);
        writer.Write(_since);
        writer.Write(_looked);
        writer.Write(IsOn);
        writer.Write(Began);
    }

    public void Load(ref StateReader reader)
    {
        _pending = reader.ReadBoolean();
        _since = reader.ReadInt64();
        _looked = reader.ReadInt64();
        IsOn = reader.ReadBoolean();
        Began = reader.ReadInt64();
    }

    /// <summary>The condition points to the other state: begins to wait, or changes when it has waited long enough.</summary>
    private void Wait(long before, long time)
    {
        if (!_pending || time - before > _longestPause)
        {
            _pending = true;
            _since = time;
        }

        if (time - _since >= (IsOn ? _offDelay : _onDelay))
        {
            Began = IsOn ? Began : _since;
            IsOn = !IsOn;
            _pending = false;
        }
    }
}
