using System.Numerics;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Polling;

/// <summary>What polling asks of one device, as predicted.</summary>
/// <param name="Device">The device.</param>
/// <param name="Utilisation">Share of the bus's time: 0 = none, 1 = all of it. The quiet time that the device needs is none of it: others are asked meanwhile.</param>
/// <param name="RequestsPerSecond">Requests, on the average.</param>
/// <param name="RoundTime">The shortest time in which all its points can be read once, quiet times included; no period can be shorter.</param>
public sealed record DeviceLoad(DeviceModel Device, double Utilisation, double RequestsPerSecond, TimeSpan RoundTime)
{
    /// <summary>Share of the device's own time, quiet times included: more than 1 cannot be kept, however idle the bus is.</summary>
    public double OwnUtilisation { get; init; } = Utilisation;

    /// <summary>What of <see cref="RoundTime"/> the bus is busy.</summary>
    public TimeSpan BusTime { get; init; } = RoundTime;
}

/// <summary>What polling asks of a bus, as predicted.</summary>
/// <param name="Devices">Each device, in the order given.</param>
/// <param name="Assumption">What the prediction takes for granted, in words: a part of a sentence after "assuming".</param>
public sealed record BusPrediction(IReadOnlyList<DeviceLoad> Devices, string Assumption)
{
    /// <summary>Share of the bus's time: 0 = idle, 1 = busy without pause; more does not fit.</summary>
    public double Utilisation { get; } = Devices.Sum(d => d.Utilisation);

    /// <summary>Requests, on the average.</summary>
    public double RequestsPerSecond { get; } = Devices.Sum(d => d.RequestsPerSecond);

    /// <summary>The shortest time in which all points of all devices can be read once: the shortest period that all of them could have.</summary>
    public TimeSpan RoundTime { get; } = new(Math.Max(Devices.Sum(d => d.BusTime.Ticks), Devices.Select(d => d.RoundTime.Ticks).DefaultIfEmpty().Max()));

    /// <summary>By how much all periods together must grow so that the bus is busy for at most <paramref name="share"/> of the time; 1 when it fits as it is.</summary>
    /// <param name="share">Between 0 and 1, for instance 0.8.</param>
    public double SlowDown(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        return Math.Max(1, Utilisation / share);
    }
}

/// <summary>Predicts how busy a bus will be, from the plans that will be used. Pure functions.</summary>
/// <remarks>
/// Points are due at multiples of their periods on the clock, so that those with periods of 1 s and 10 s are read together every
/// tenth second, by a plan that is cheaper than both. The prediction is exact over the hyperperiod (the least common multiple of all periods):
/// it knows how often each set of periods falls together. Of a device with more than five periods the slower ones are counted as if they were read apart. Points that are read once at the start do not count, nor do retries and devices that do not answer.
/// </remarks>
public static class BusLoad
{
    // The plans of all sets are made: 2 to this power for each device. Slower periods beyond are counted apart, which is too much rather than too little.
    private const int MostJoined = 5;

    /// <summary>Predicts the load of a bus.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="devices">Its devices.</param>
    /// <param name="points">All points of the site.</param>
    /// <param name="thinking">
    /// Turnaround of a device on a line, latency of a request to it over a network, where they were measured. Null, or a null for a device, takes
    /// <see cref="ReadCost.AssumedTurnaround"/> or <see cref="ReadCost.AssumedLatency"/>; zero gives the least that is possible.
    /// </param>
    /// <exception cref="ArgumentException">A device has more than 64 different periods.</exception>
    public static BusPrediction Predict(
        BusModel bus, IEnumerable<DeviceModel> devices, IReadOnlyList<PointModel> points, Func<DeviceModel, TimeSpan?>? thinking = null)
    {
        ArgumentNullException.ThrowIfNull(bus);
        ArgumentNullException.ThrowIfNull(devices);
        var (loads, least, most) = (new List<DeviceLoad>(), TimeSpan.MaxValue, TimeSpan.Zero);
        foreach (var device in devices)
        {
            var time = thinking?.Invoke(device) ?? (bus is ModbusTcpBus or ModbusUdpBus ? ReadCost.AssumedLatency : ReadCost.AssumedTurnaround);
            least = time < least ? time : least;
            most = time > most ? time : most;
            loads.Add(Of(device, points, ReadCost.On(bus, device.Profile.MinGap, time), ReadCost.On(bus, TimeSpan.Zero, time)));
        }

        var range = least >= most ? $"{most.TotalMilliseconds:0.#} ms" : $"{least.TotalMilliseconds:0.#} to {most.TotalMilliseconds:0.#} ms";
        if (bus is LocalBus)
        {
            return new(loads, "reading the inputs of this computer takes no time of a wire");
        }

        if (bus is ILoggerBus)
        {
            return new(loads, "data loggers send by themselves");
        }

        return new(loads, bus is ModbusTcpBus or ModbusUdpBus ? $"a request and its reply take {range}" : $"devices need {range} before they answer");
    }

    /// <summary>Predicts the load of one device on its bus.</summary>
    /// <param name="device">The device.</param>
    /// <param name="points">All points of the site.</param>
    /// <param name="cost">What a request costs the device, its quiet time included: what its plans are made with.</param>
    /// <param name="busCost">What of that the bus is busy; null when it is all.</param>
    public static DeviceLoad Of(DeviceModel device, IReadOnlyList<PointModel> points, ReadCost cost, ReadCost? busCost = null)
    {
        var wire = busCost ?? cost;
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(points);
        if (device.Points.Count == 0)
        {
            return new(device, 0, 0, TimeSpan.Zero);
        }

        var planner = DevicePlanner.Of(device, points, cost);
        var groups = Enumerable.Range(0, planner.Periods.Count).Where(g => planner.Periods[g] > TimeSpan.Zero).ToArray();
        var joined = Math.Min(groups.Length, MostJoined);
        var (utilisation, own, requests) = (0.0, 0.0, 0.0);
        var rates = ExactRates([.. groups.Take(joined).Select(g => planner.Periods[g].Ticks)]);
        for (var set = 1; set < rates.Length; set++)
        {
            if (rates[set] > 0)
            {
                var due = 0UL;
                for (var i = 0; i < joined; i++)
                {
                    due |= (set & (1 << i)) != 0 ? 1UL << groups[i] : 0;
                }

                Add(due, rates[set]);
            }
        }

        foreach (var group in groups.Skip(joined))
        {
            Add(1UL << group, 1 / planner.Periods[group].TotalSeconds);
        }

        var all = planner.PlanFor(planner.All, 0);
        return new(device, utilisation, requests, planner.TimeOf(all)) { OwnUtilisation = own, BusTime = ReadPlanner.Time(all.Reads, wire) };

        void Add(ulong due, double perSecond)
        {
            var plan = planner.PlanFor(due, 0);
            utilisation += ReadPlanner.Time(plan.Reads, wire).TotalSeconds * perSecond;
            own += planner.TimeOf(plan).TotalSeconds * perSecond;
            requests += plan.Reads.Count * perSecond;
        }
    }

    /// <summary>How often per second exactly these periods fall together, by set: bit i stands for period i.</summary>
    /// <remarks>
    /// All periods of a set fall together once in their least common multiple. What falls to its larger sets is taken off, one period after the
    /// other (inclusion and exclusion).
    /// </remarks>
    internal static double[] ExactRates(IReadOnlyList<long> periods)
    {
        var rates = new double[1 << periods.Count];
        for (var set = 1; set < rates.Length; set++)
        {
            var multiple = BigInteger.One;
            for (var i = 0; i < periods.Count; i++)
            {
                if ((set & (1 << i)) != 0)
                {
                    multiple = multiple / BigInteger.GreatestCommonDivisor(multiple, periods[i]) * periods[i];
                }
            }

            rates[set] = TimeSpan.TicksPerSecond / (double)multiple;
        }

        for (var i = 0; i < periods.Count; i++)
        {
            for (var set = 1; set < rates.Length; set++)
            {
                if ((set & (1 << i)) == 0)
                {
                    rates[set] -= rates[set | (1 << i)];
                }
            }
        }

        // Sets that never fall together alone are left with the rounding of the subtraction.
        for (var set = 1; set < rates.Length; set++)
        {
            rates[set] = rates[set] < 1e-12 ? 0 : rates[set];
        }

        return rates;
    }
}
