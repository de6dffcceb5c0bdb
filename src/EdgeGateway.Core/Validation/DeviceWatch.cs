using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Validation;

/// <summary>Tells whether a device is there, from the samples of its polled points. One record for each change.</summary>
/// <remarks>
/// Offline: a point that used to answer has failed twice in a row and no point of the device answered in between. A point that has not
/// answered since the device came online (a register that this firmware lacks) does not count, or it would make the device flicker.
/// Offline too: nothing at all was heard for three periods of the fastest point, at least 30 s. Online: the first sample with a value.
/// </remarks>
internal sealed class DeviceWatch
{
    private const long LeastStaleMs = 30_000;

    private readonly int _device;
    private readonly IFeedSink _sink;
    private readonly bool[] _everHeard;
    private readonly bool[] _answered;
    private readonly int[] _failures;
    private readonly long _staleAfter;
    private int _unheard;
    private bool _known;
    private bool _online;
    private bool _failing;
    private long _failingSince;
    private Quality _firstFailure;
    private long _heardAt;

    /// <param name="device">The device.</param>
    /// <param name="points">Its polled points.</param>
    /// <param name="sink">Where changes go.</param>
    public DeviceWatch(DeviceModel device, IReadOnlyList<PointModel> points, IFeedSink sink)
    {
        _device = device.Index;
        _sink = sink;
        _everHeard = new bool[points.Count];
        _answered = new bool[points.Count];
        _failures = new int[points.Count];
        _unheard = points.Count;
        var fastest = points.Count == 0 ? TimeSpan.Zero : points.Min(p => p.Period);
        _staleAfter = points.Count == 0 ? long.MaxValue : Math.Max(LeastStaleMs, 3 * (fastest.Ticks / TimeSpan.TicksPerMillisecond));
    }

    /// <summary>Starts waiting for the device at <paramref name="time"/>; also after the gateway itself was away.</summary>
    public void Await(long time) => _heardAt = time;

    /// <summary>Takes a judged sample of the point with number <paramref name="slot"/> within the device.</summary>
    public void Observe(int slot, Quality quality, long time)
    {
        _heardAt = time;
        if (!_everHeard[slot])
        {
            _everHeard[slot] = true;
            _unheard--;
        }

        if (quality.HasValue)
        {
            Answer(slot, time);
        }
        else
        {
            Fail(slot, quality, time);
        }
    }

    /// <summary>Looks for silence.</summary>
    public void Advance(long now)
    {
        if (now - _heardAt > _staleAfter && (!_known || _online))
        {
            Change(false, now, Quality.Bad(QualityReason.Stale));
        }
    }

    public void Shift(long milliseconds)
    {
        _failingSince += milliseconds;
        _heardAt += milliseconds;
    }

    public void Save(StateWriter writer)
    {
        for (var i = 0; i < _everHeard.Length; i++)
        {
            writer.Write(_everHeard[i]);
            writer.Write(_answered[i]);
            writer.Write(_failures[i]);
        }

        writer.Write(_known);
        writer.Write(_online);
        writer.Write(_failing);
        writer.Write(_failingSince);
        writer.Write((byte)_firstFailure.Reason);
        writer.Write(_firstFailure.Detail);
        writer.Write(_heardAt);
    }

    public void Load(ref StateReader reader)
    {
        _unheard = 0;
        for (var i = 0; i < _everHeard.Length; i++)
        {
            _everHeard[i] = reader.ReadBoolean();
            _answered[i] = reader.ReadBoolean();
            _failures[i] = reader.ReadInt32();
            _unheard += _everHeard[i] ? 0 : 1;
        }

        _known = reader.ReadBoolean();
        _online = reader.ReadBoolean();
        _failing = reader.ReadBoolean();
        _failingSince = reader.ReadInt64();
        _firstFailure = Quality.Bad((QualityReason)reader.ReadByte(), reader.ReadByte());
        _heardAt = reader.ReadInt64();
    }

    private void Answer(int slot, long time)
    {
        if (_failing)
        {
            _failing = false;
            Array.Clear(_failures);
        }

        if (!_known || !_online)
        {
            Array.Clear(_answered);
            Change(true, time, Quality.Good);
        }

        _answered[slot] = true;
        _failures[slot] = 0;
    }

    private void Fail(int slot, Quality quality, long time)
    {
        if (!_failing)
        {
            _failing = true;
            _failingSince = time;
            _firstFailure = quality;
            Array.Clear(_failures);
        }

        if (_failures[slot] < 2)
        {
            _failures[slot]++;
        }

        if (_failures[slot] < 2 || (_known && !_online))
        {
            return;
        }

        // Before anything was ever known, every point gets its first chance, for 30 s at most.
        var counts = _known ? _answered[slot] : _unheard == 0 || time - _failingSince >= LeastStaleMs;
        if (counts)
        {
            Change(false, time, _firstFailure);
        }
    }

    private void Change(bool online, long time, Quality reason)
    {
        _known = true;
        _online = online;
        _sink.DeviceState(new DeviceStateRecord
        {
            Device = _device,
            Online = online,
            Time = new(time),
            Reason = reason.Reason,
            Detail = reason.Detail,
        });
    }
}
