using System.Collections.Concurrent;
using EdgeGateway.Protocols.Sensors;

namespace EdgeGateway.Buses;

/// <summary>The thread that reads one sensor, channel after channel. It waits in the kernel so that nobody else has to.</summary>
/// <param name="name">The sensor.</param>
/// <param name="time">The clock of time limits.</param>
internal sealed class SensorLane(string name, TimeProvider time) : IDisposable
{
    // It calls the kernel and parses a number.
    private const int StackSize = 256 * 1024;

    private readonly BlockingCollection<Channel> _asked = [];
    private readonly List<Channel> _channels = [];
    private readonly Lock _lock = new();
    private Thread? _thread;

    private TimeProvider Time => time;

    /// <summary>Adds a channel, before the first reading.</summary>
    public Channel Add(ISensor sensor)
    {
        var channel = new Channel(this, sensor);
        _channels.Add(channel);
        return channel;
    }

    /// <summary>Ends the thread, when the reading that is under way has ended; nobody waits for that.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _asked.CompleteAdding();
            if (_thread is null)
            {
                _channels.ForEach(channel => channel.Sensor.Dispose());
            }
        }
    }

    private void Ask(Channel channel)
    {
        lock (_lock)
        {
            if (_asked.IsAddingCompleted)
            {
                return;
            }

            if (_thread is null)
            {
                _thread = new Thread(Run, StackSize) { IsBackground = true, Name = $"sensor {name}" };
                _thread.Start();
            }

            _asked.Add(channel);
        }
    }

    private void Run()
    {
        foreach (var channel in _asked.GetConsumingEnumerable())
        {
            channel.Read();
        }

        _channels.ForEach(channel => channel.Sensor.Dispose());
        _asked.Dispose();
    }

    /// <summary>A channel of the sensor.</summary>
    /// <param name="lane">The thread that reads it.</param>
    /// <param name="sensor">What it reads.</param>
    internal sealed class Channel(SensorLane lane, ISensor sensor)
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource<SensorReading>? _underWay;
        private Task<SensorReading> _last = Task.FromResult(SensorReading.Missing(SensorStatus.NotFound));
        private long _began;
        private volatile string _problem = "";
        private volatile int _quantity;

        /// <summary>What is wrong with the last reading that ended, in words; empty when nothing is.</summary>
        public string Problem => _problem;

        /// <summary>What the channel measures.</summary>
        public SensorQuantity Quantity => (SensorQuantity)_quantity;

        public ISensor Sensor => sensor;

        /// <summary>Begins a reading, unless one is under way: what comes of that one is as new.</summary>
        public void Begin()
        {
            lock (_lock)
            {
                if (_underWay is not null)
                {
                    return;
                }

                // Whoever waits goes on elsewhere: this thread reads.
                _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _last = _underWay.Task;
                _began = lane.Time.GetTimestamp();
            }

            lane.Ask(this);
        }

        /// <summary>Waits for the reading that was begun last.</summary>
        /// <param name="timeout">How long a reading may take.</param>
        /// <param name="cancel">Stops waiting.</param>
        /// <returns>The reading, or that it is late; it goes on then, and is not begun again before it has ended.</returns>
        public async ValueTask<SensorReading> EndAsync(TimeSpan timeout, CancellationToken cancel)
        {
            Task<SensorReading> reading;
            TimeSpan left;
            lock (_lock)
            {
                (reading, left) = (_last, timeout - lane.Time.GetElapsedTime(_began));
            }

            try
            {
                return reading.IsCompleted ? await reading.ConfigureAwait(false)
                    : left > TimeSpan.Zero ? await reading.WaitAsync(left, lane.Time, cancel).ConfigureAwait(false)
                    : SensorReading.Missing(SensorStatus.Late);
            }
            catch (TimeoutException)
            {
                return SensorReading.Missing(SensorStatus.Late);
            }
        }

        /// <summary>Reads, on the thread of the lane.</summary>
        public void Read()
        {
            var reading = sensor.Read();
            _problem = sensor.Problem;
            _quantity = (int)sensor.Quantity;
            TaskCompletionSource<SensorReading> ended;
            lock (_lock)
            {
                (ended, _underWay) = (_underWay!, null);
            }

            ended.SetResult(reading);
        }
    }
}
