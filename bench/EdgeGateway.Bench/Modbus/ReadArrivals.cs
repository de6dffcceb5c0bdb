using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Bench.Modbus;

/// <summary>When the reads of each device arrived at the centre, one message for each; the topic tells the device.</summary>
/// <param name="period">Time between two reads of a device.</param>
internal sealed class ReadArrivals(TimeSpan period)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Device> _devices = [];
    private long _begun = TimeProvider.System.GetTimestamp();

    /// <summary>Devices that were heard of at all.</summary>
    public int Devices
    {
        get
        {
            lock (_gate)
            {
                return _devices.Count;
            }
        }
    }

    /// <summary>The last message of each device.</summary>
    public IReadOnlyList<MqttMessage> Newest
    {
        get
        {
            lock (_gate)
            {
                return [.. _devices.Values.Select(d => d.Newest)];
            }
        }
    }

    public void Add(MqttMessage message)
    {
        var now = TimeProvider.System.GetTimestamp();
        lock (_gate)
        {
            var device = _devices.GetValueOrDefault(message.Topic);
            _devices[message.Topic] = new(message, device.Count + 1, device.Count == 0 ? now : device.First, now);
        }
    }

    /// <summary>Forgets all counts: the time that is measured begins.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _begun = TimeProvider.System.GetTimestamp();
            foreach (var (topic, device) in _devices)
            {
                _devices[topic] = device with { Count = 0 };
            }
        }
    }

    /// <summary>Messages since <see cref="Begin"/>, and reads that would have been due in the same time and of which none came.</summary>
    public (long Messages, long Missed) Count()
    {
        lock (_gate)
        {
            var now = TimeProvider.System.GetTimestamp();
            return (_devices.Values.Sum(d => d.Count), _devices.Values.Sum(d => MissedBy(d, now)));
        }
    }

    // From the first to the last message of a device the periods are counted. Outside, where anything up to a period is as it should be, from half a period later on.
    private long MissedBy(Device device, long now) => device.Count == 0
        ? (long)Periods(_begun, now)
        : Math.Max(0, (long)Math.Round(Periods(device.First, device.Last)) - (device.Count - 1)) + Outside(_begun, device.First) + Outside(device.Last, now);

    private long Outside(long from, long to) => (long)Math.Max(0, Periods(from, to) - 0.5);

    private double Periods(long from, long to) => TimeProvider.System.GetElapsedTime(from, to) / period;

    private readonly record struct Device(MqttMessage Newest, long Count, long First, long Last);
}
