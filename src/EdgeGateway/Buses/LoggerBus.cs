using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Buses;

/// <summary>
/// HJ 212 data loggers as a bus: they send by themselves, and what each sent last stands in registers (<see cref="Hj212Layout"/>) that are read like those of any device. A flag that is
/// not N goes with its values as their quality. The first read waits for the first packet; after that none waits.
/// </summary>
internal sealed class LoggerBus : IBus
{
    // The protocol's words for "not here" and "not done here" (MODBUS V1.1b3, 7), which every bus uses.
    private const byte IllegalFunction = 1;
    private const byte IllegalAddress = 2;

    private const int MostUnknown = 8;

    // The register has 16 bits, and all ones are no value.
    private const int LongestShown = 65_534;

    // How long connections that gave way or were turned away are told of.
    private static readonly TimeSpan Told = TimeSpan.FromHours(1);
    private static readonly TimeSpan SetBackAfter = TimeSpan.FromMinutes(5);

    private readonly ILoggerBus _model;
    private readonly TimeProvider _time;
    private readonly Func<DateTimeOffset?> _clock;
    private readonly Func<Func<Hj212Packet, bool>, Hj212Station> _start;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Logger> _byNumber;
    private readonly Dictionary<byte, Logger> _byUnit;
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);
    private readonly Hj212Assembly _assembly;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<RegisterMark> _marks = [];
    private readonly ushort[] _block = new ushort[Hj212Layout.BlockLength];
    private Hj212Station? _station;
    private (long, long, long) _crowd;
    private long _crowdSince;
    private bool _hasWaited;
    private string _lastProblem = "";

    /// <param name="model">The loggers.</param>
    /// <param name="start">Starts what takes their packets; called by the first read.</param>
    /// <param name="time">The clock of waits.</param>
    /// <param name="clock">Wall time, by which DataTime is judged; null while it is not known.</param>
    public LoggerBus(ILoggerBus model, Func<Func<Hj212Packet, bool>, Hj212Station> start, TimeProvider time, Func<DateTimeOffset?> clock)
    {
        (_model, _start, _time, _clock) = (model, start, time, clock);
        _assembly = new(time);
        _byNumber = model.Loggers.ToDictionary(l => l.Number, _ => new Logger(), StringComparer.OrdinalIgnoreCase);
        _byUnit = model.Loggers.ToDictionary(l => l.Unit, l => _byNumber[l.Number]);
    }

    /// <inheritdoc/>
    public int MaxInFlight => 1;

    /// <inheritdoc/>
    public WireCounters Wire => new(_station?.Connects ?? 0, 0, 0, 0);

    /// <inheritdoc/>
    public string LastProblem => Volatile.Read(ref _lastProblem);

    /// <inheritdoc/>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _unknown.Select(n => $"a logger with the MN {n} sends here, and the bus has none of that number: correct 'mn' in 'loggers', or add it"),
                    .. _byNumber.Where(l => l.Value.Doubt is not null && !IsSilent(l.Value)).Select(l => $"the clock of the logger {l.Key} is {Math.Abs(l.Value.Lag):0} s {(l.Value.Lag > 0 ? "behind" : "ahead")}, and its values are doubted: set it (or this computer's)"),
                    .. Crowd(),
                ];
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        _station ??= _start(Take);
        if (request.Table != RegisterTable.InputRegister || request.Address + request.Quantity > Hj212Layout.AddressOf(Hj212Layout.Count) || !_byUnit.TryGetValue(unit, out var logger))
        {
            Volatile.Write(ref _lastProblem, "no value of an HJ 212 logger stands there");
            return new(QualityReason.DeviceException, IllegalAddress);
        }

        if (!_hasWaited)
        {
            _hasWaited = true;
            await Task.WhenAny(_first.Task, Task.Delay(timeout, _time, cancel)).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }

        lock (_gate)
        {
            return Show(logger, request, registers.Span[..request.Quantity]);
        }
    }

    /// <summary>Loggers are never written by this program.</summary>
    /// <inheritdoc/>
    public ValueTask<BusReply> WriteAsync(byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
        ValueTask.FromResult(new BusReply(QualityReason.DeviceException, IllegalFunction));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _station?.DisposeAsync() ?? ValueTask.CompletedTask;

    private bool IsSilent(Logger logger) => logger.Heard is not { } heard || _time.GetElapsedTime(heard) > _model.MaxAge;

    /// <summary>Connections that found no place of late, or lost theirs.</summary>
    private IEnumerable<string> Crowd()
    {
        if (_station is not { } station)
        {
            yield break;
        }

        var crowd = (station.Idle, station.GaveWay, station.TurnedAway);
        if (crowd != _crowd)
        {
            (_crowd, _crowdSince) = (crowd, _time.GetTimestamp());
        }

        if (crowd != (0L, 0L, 0L) && _time.GetElapsedTime(_crowdSince) < Told)
        {
            yield return $"connections of loggers so far: {crowd.Idle} closed as nothing came, {crowd.GaveWay} silent ones closed for new ones, {crowd.TurnedAway} refused as all places were taken: see who else connects here, and that the network does not cut connections";
        }
    }

    private BusReply Show(Logger logger, ReadRequest request, Span<ushort> registers)
    {
        var now = _time.GetTimestamp();
        if (logger.Heard is not { } heard || _time.GetElapsedTime(heard, now) > _model.MaxAge)
        {
            var station = _station!;
            Volatile.Write(ref _lastProblem, station.Problem
                ?? (!station.IsConnected ? "no logger is connected: does it know this computer's address and port?"
                : $"nothing came from this logger for {_model.MaxAge.TotalSeconds:0} s, {station.Counters.Packets} packets and {station.Counters.Damaged} damaged ones in all: check its MN, and that real-time data are on"));
            return new(station.IsConnected ? QualityReason.Timeout : QualityReason.NotConnected);
        }

        _marks.Clear();
        registers.Clear();
        for (var block = request.Address / Hj212Layout.BlockLength; block * Hj212Layout.BlockLength < request.Address + request.Quantity; block++)
        {
            var begin = block * Hj212Layout.BlockLength;
            if (block == 0)
            {
                ShowLogger(logger, now, heard);
            }
            else
            {
                ShowFactor(logger, logger.Factors[block - 1], begin, now);
            }

            var first = Math.Max(request.Address, begin);
            var end = Math.Min(request.Address + request.Quantity, begin + Hj212Layout.BlockLength);
            _block.AsSpan(first - begin, end - first).CopyTo(registers[(first - request.Address)..]);
        }

        return new(QualityReason.None) { Marks = _marks.Count > 0 ? _marks : null };
    }

    private void ShowLogger(Logger logger, long now, long heard)
    {
        var counters = _station!.Counters;
        Hj212Layout.Logger.Clear(_block);
        Hj212Layout.Logger.Put(_block, Hj212Layout.Packets, counters.Packets);
        Hj212Layout.Logger.Put(_block, Hj212Layout.Damaged, counters.Damaged);
        Hj212Layout.Logger.Put(_block, Hj212Layout.Deviating, counters.DeviatingPackets);
        Hj212Layout.Logger.Put(_block, Hj212Layout.Incomplete, _assembly.Incomplete);
        Hj212Layout.Logger.Put(_block, Hj212Layout.Age, Seconds(heard, now));
        Hj212Layout.Logger.Put(_block, Hj212Layout.Lag, (long)Math.Clamp(logger.Lag, 0, LongestShown));
        Hj212Layout.Logger.Put(_block, Hj212Layout.Late, logger.Late);
    }

    private void ShowFactor(Logger logger, in Factor factor, int begin, long now)
    {
        Hj212Layout.Factor.Clear(_block);
        if (!factor.IsKnown || _time.GetElapsedTime(factor.At, now) > _model.MaxAge)
        {
            return;
        }

        Hj212Layout.Factor.Put(_block, Hj212Layout.Value, factor.Value);
        Hj212Layout.Factor.Put(_block, Hj212Layout.Corrected, factor.Corrected);
        Hj212Layout.Factor.Put(_block, Hj212Layout.Flag, factor.Flag);
        Hj212Layout.Factor.Put(_block, Hj212Layout.Age, Seconds(factor.At, now));
        // What the analyser says of itself goes before what is said of the clock.
        if (factor.Flag != 'N' || logger.Doubt is not null)
        {
            _marks.Add(new(begin, Hj212Layout.Judged, factor.Flag != 'N' ? Hj212Layout.QualityOf(factor.Flag) : Quality.Uncertain(logger.Doubt!.Value)));
        }
    }

    private long Seconds(long from, long now) => (long)_time.GetElapsedTime(from, now).TotalSeconds;

    /// <summary>Takes a packet of a logger; false when it is nobody's here, and not to be acknowledged.</summary>
    private bool Take(Hj212Packet packet)
    {
        lock (_gate)
        {
            if (!_byNumber.TryGetValue(packet.Device, out var logger))
            {
                if (_unknown.Count < MostUnknown && packet.Device.Length is > 0 and <= 64)
                {
                    _unknown.Add(packet.Device);
                }

                return false;
            }

            logger.Heard = _time.GetTimestamp();
            if (packet.Command == Hj212Command.RealTime && _assembly.Take(packet) is { } whole && IsPresent(logger, whole))
            {
                foreach (var group in whole.Groups)
                {
                    Note(logger, group);
                }
            }
        }

        _first.TrySetResult();
        return true;
    }

    /// <summary>
    /// Whether real-time data are of the present. A logger sends what it stored while a connection was cut with the DataTime of then: much older than the packet's own number (QN), or
    /// than what it sent before. What is old by the gateway's clock alone comes from a logger whose clock is wrong: it is shown with a doubt.
    /// </summary>
    private bool IsPresent(Logger logger, Hj212Packet packet)
    {
        if (!Hj212Time.TryParse(packet.Value("DataTime"), out var measured))
        {
            // Those of 2005 may leave it out: then it is the instant at which it came.
            (logger.Lag, logger.Doubt) = (0, null);
            return true;
        }

        var isStored = DateTime.TryParseExact(packet.Number, Hj212Time.NumberFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var sent) && sent - measured > _model.MaxLag;

        // After so long without anything newer the logger's clock has been set back: however much lag is allowed, no present data are kept back for longer.
        var isBefore = logger.Newest is { } newest && measured < newest.Measured && _time.GetElapsedTime(newest.At) <= SetBackAfter;
        if (isStored || isBefore)
        {
            logger.Late++;
            return false;
        }

        logger.Newest = (measured, _time.GetTimestamp());
        var now = _clock();
        if (now is null)
        {
            (logger.Lag, logger.Doubt) = (0, null);
            return true;
        }

        var lag = TimeZoneInfo.ConvertTime(now.Value, _model.TimeZone).DateTime - measured;
        logger.Lag = lag.TotalSeconds;
        logger.Doubt = lag > _model.MaxLag ? QualityReason.Stale : lag < -_model.MaxLag ? QualityReason.ClockUnset : null;
        return true;
    }

    /// <summary>A group of one factor; some loggers put several into one.</summary>
    private static void Note(Logger logger, IReadOnlyList<Hj212Field> group)
    {
        foreach (var field in group)
        {
            var dash = field.Key.IndexOf('-', StringComparison.Ordinal);
            if (dash <= 0 || Hj212Layout.PlaceOf(field.Key[..dash]) is not (>= 0 and var place))
            {
                continue;
            }

            ref var factor = ref logger.Factors[place];
            var now = logger.Heard!.Value;
            if (!factor.IsKnown || factor.At != now)
            {
                factor = new() { IsKnown = true, At = now, Value = double.NaN, Corrected = double.NaN, Flag = 'N' };
            }

            switch (field.Key[(dash + 1)..])
            {
                case "Rtd":
                    factor.Value = Number(field.Value);
                    break;
                case "ZsRtd":
                    factor.Corrected = Number(field.Value);
                    break;
                case "Flag":
                    // None at all, or more than a letter, is no flag of the standard.
                    factor.Flag = field.Value is [>= '!' and <= '~' and var letter] ? char.ToUpperInvariant(letter) : '?';
                    break;
            }
        }
    }

    private static double Number(string text) => double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;

    private sealed class Logger
    {
        public long? Heard { get; set; }

        // DataTime of the newest real-time data, and when they came.
        public (DateTime Measured, long At)? Newest { get; set; }

        // Seconds by which they lay behind the gateway's clock, and what is doubted for that.
        public double Lag { get; set; }

        public QualityReason? Doubt { get; set; }

        public long Late { get; set; }

        public Factor[] Factors { get; } = new Factor[Hj212Layout.Count];
    }

    private record struct Factor
    {
        public bool IsKnown { get; set; }

        public long At { get; set; }

        public double Value { get; set; }

        public double Corrected { get; set; }

        public char Flag { get; set; }
    }
}
