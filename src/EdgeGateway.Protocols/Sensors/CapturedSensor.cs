namespace EdgeGateway.Protocols.Sensors;

/// <summary>
/// One channel that the kernel captures each time a trigger fires. A reading is the mean of what was captured since the last one, over whole periods of the mains, so that hum on a loop adds up to
/// nothing. See <see cref="IioCapture"/> for what it needs.
/// </summary>
/// <remarks>Waits until at least one period was captured, half a second at most. A reading allocates nothing. For one caller at a time.</remarks>
/// <param name="device">Label, address, node or chip: see <see cref="SensorDevice.IsCalled"/>.</param>
/// <param name="channel">The kernel's name of the channel, or its label.</param>
/// <param name="trigger">Name of the trigger.</param>
/// <param name="mainsHertz">Frequency of the mains.</param>
/// <param name="root">The folder in which <c>sys</c> and <c>dev</c> are.</param>
public sealed class CapturedSensor(string device, string channel, string trigger, double mainsHertz, string root = "/") : ISensor
{
    /// <summary>How many samples the kernel keeps between two readings.</summary>
    public const int KernelSamples = 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly double[] _values = new double[2 * KernelSamples];
    private readonly long[] _times = new long[2 * KernelSamples];
    private IioCapture? _capture;
    private int _count;

    /// <inheritdoc/>
    public SensorQuantity Quantity { get; private set; }

    /// <inheritdoc/>
    public string Problem { get; private set; } = "";

    /// <inheritdoc/>
    public SensorReading Read()
    {
        try
        {
            _capture ??= Start();
            var mean = Mean(_capture);
            Problem = double.IsNaN(mean) ? $"the trigger \"{trigger}\" does not fire for {channel} of \"{device}\", or more slowly than the mains: set its sampling_frequency" : "";
            return double.IsNaN(mean) ? SensorReading.Missing(SensorStatus.NoAnswer) : new(mean, SensorStatus.Good);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            Dispose();
            Problem = refused.Message;
            return SensorReading.Missing((refused as SensorException)?.Fault switch
            {
                SensorFault.NotAllowed => SensorStatus.NotAllowed,
                SensorFault.Gone => SensorStatus.Gone,
                SensorFault.NoAnswer => SensorStatus.NoAnswer,
                SensorFault.Busy => SensorStatus.Busy,
                _ => SensorStatus.NotFound,
            });
        }
    }

    /// <summary>Ends the capture.</summary>
    public void Dispose()
    {
        _capture?.Dispose();
        _capture = null;
        _count = 0;
    }

    private IioCapture Start()
    {
        var place = SensorInventory.Read(root).Find(device, channel);
        Quantity = place.Channel.Quantity;
        return IioCapture.Start(place.Device, [place.Channel.Id], trigger, KernelSamples, root);
    }

    private double Mean(IioCapture capture)
    {
        Take(capture);
        if (_count >= KernelSamples)
        {
            // The kernel had no room for the newest: these are of the begin of the pause.
            _count = 0;
        }

        var began = TimeProvider.System.GetTimestamp();
        double mean;
        while (double.IsNaN(mean = MainsMean.Of(_values.AsSpan(0, _count), _times.AsSpan(0, _count), mainsHertz)))
        {
            var left = Patience - TimeProvider.System.GetElapsedTime(began);
            if (_count == _values.Length || left <= TimeSpan.Zero || !capture.Wait(left))
            {
                return mean;
            }

            Take(capture);
        }

        // The last sample is the begin of what the next reading averages.
        (_values[0], _times[0], _count) = (_values[_count - 1], _times[_count - 1], 1);
        return mean;
    }

    private void Take(IioCapture capture)
    {
        for (int scans; _count < _values.Length && (scans = capture.Read(_values.AsSpan(_count), _times.AsSpan(_count))) > 0;)
        {
            _count += scans;
        }
    }
}
