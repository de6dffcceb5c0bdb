using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Buses;

/// <summary>How the last requests on a Modbus bus ended, unit by unit: what likely causes are told from. Allocates nothing once every unit was asked.</summary>
/// <remarks>
/// It remembers the last <see cref="Window"/> to twice as many requests of each unit, so that a fault that was mended is forgotten.
/// </remarks>
public sealed class WireSymptoms
{
    /// <summary>Requests after which the older half is forgotten.</summary>
    public const int Window = 64;

    private const int LongRead = 16;
    private const int Codes = 256;

    private readonly Lock _gate = new();
    private readonly Unit?[] _units = new Unit?[256];
    private ModbusCounters _last;
    private ModbusCounters _before;
    private long _requests;
    private string _connectProblem = "";

    /// <summary>Counts a request that has ended.</summary>
    /// <param name="unit">The unit asked.</param>
    /// <param name="quantity">Registers asked for.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="counters">The client's counters now.</param>
    public void Count(byte unit, int quantity, in ModbusOutcome outcome, in ModbusCounters counters)
    {
        lock (_gate)
        {
            if (++_requests % Window == 0)
            {
                (_before, _last) = (_last, counters);
            }

            if (outcome.Status == ModbusStatus.NotConnected)
            {
                _connectProblem = outcome.Detail ?? "";
            }

            (_units[unit] ??= new()).Count(quantity, outcome);
        }
    }

    /// <summary>What was seen lately, for <see cref="LikelyCauses"/>.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="devices">Its devices, and how long nearly all answers of each take.</param>
    /// <param name="counters">The client's counters now.</param>
    /// <param name="utilisation">Share of the time that the bus is in use, or null.</param>
    public BusSymptoms Of(BusModel bus, IEnumerable<(DeviceModel Device, TimeSpan? UsualLatency)> devices, in ModbusCounters counters, double? utilisation)
    {
        ArgumentNullException.ThrowIfNull(bus);
        lock (_gate)
        {
            return new()
            {
                Bus = bus.Id,
                Medium = bus switch
                {
                    SerialBus => BusMedium.Line,
                    DeviceServerBus => BusMedium.LineOverTcp,
                    ModbusUdpBus => BusMedium.Udp,
                    _ => BusMedium.Tcp,
                },
                Where = BusKinds.Describe(bus),
                Utilisation = utilisation,
                Echoes = counters.Echoes - _before.Echoes,
                Unasked = counters.Unasked - _before.Unasked,
                LateReplies = counters.LateDiscarded - _before.LateDiscarded,
                Connects = counters.Connects - _before.Connects,
                ConnectProblem = _connectProblem,
                Devices = [.. devices.Select(d => (_units[d.Device.Unit] ?? new()).Of(d.Device, d.UsualLatency))],
            };
        }
    }

    /// <summary>One half of what is remembered of a unit.</summary>
    private sealed class Half
    {
        public readonly byte[] Exceptions = new byte[Codes];

        public long Requests { get; set; }

        public long Answered { get; set; }

        public long Timeouts { get; set; }

        public long Corrupt { get; set; }

        public long Short { get; set; }

        public long Strange { get; set; }

        public long NotConnected { get; set; }

        public (long Requests, long Damaged) ShortReads { get; set; }

        public (long Requests, long Damaged) LongReads { get; set; }

        public void Clear()
        {
            Exceptions.AsSpan().Clear();
            Requests = Answered = Timeouts = Corrupt = Short = Strange = NotConnected = 0;
            ShortReads = LongReads = default;
        }
    }

    private sealed class Unit
    {
        private Half _now = new();
        private Half _before = new();
        private int? _answeredBy;

        public void Count(int quantity, in ModbusOutcome outcome)
        {
            if (_now.Requests == Window)
            {
                (_now, _before) = (_before, _now);
                _now.Clear();
            }

            _now.Requests++;
            switch (outcome.Status)
            {
                case ModbusStatus.Ok:
                    _now.Answered++;
                    break;
                case ModbusStatus.Exception:
                    _now.Exceptions[(byte)outcome.ExceptionCode]++;
                    break;
                case ModbusStatus.Timeout:
                    _now.Timeouts++;
                    break;
                case ModbusStatus.NotConnected:
                    _now.NotConnected++;
                    break;
                case ModbusStatus.ShortReply:
                    _now.Short++;
                    break;
                case ModbusStatus.WrongUnit:
                    _now.Strange++;
                    _answeredBy = outcome.AnsweredBy;
                    break;
                case ModbusStatus.WrongFunction or ModbusStatus.Malformed:
                    _now.Strange++;
                    break;
                default:
                    _now.Corrupt++;
                    break;
            }

            var damaged = outcome.Status is ModbusStatus.CorruptFrame or ModbusStatus.ShortReply ? 1 : 0;
            if (quantity > LongRead)
            {
                _now.LongReads = (_now.LongReads.Requests + 1, _now.LongReads.Damaged + damaged);
            }
            else
            {
                _now.ShortReads = (_now.ShortReads.Requests + 1, _now.ShortReads.Damaged + damaged);
            }
        }

        public DeviceSymptoms Of(DeviceModel device, TimeSpan? usualLatency)
        {
            Dictionary<byte, long> exceptions = [];
            for (var code = 0; code < Codes; code++)
            {
                if (_now.Exceptions[code] + _before.Exceptions[code] is > 0 and var count)
                {
                    exceptions[(byte)code] = count;
                }
            }

            var strange = _now.Strange + _before.Strange;
            return new()
            {
                Device = device.Id,
                Unit = device.Unit,
                Timeout = device.Timeout,
                Answered = _now.Answered + _before.Answered,
                Timeouts = _now.Timeouts + _before.Timeouts,
                Corrupt = _now.Corrupt + _before.Corrupt,
                Short = _now.Short + _before.Short,
                Strange = strange,
                AnsweredBy = strange > 0 ? _answeredBy : null,
                NotConnected = _now.NotConnected + _before.NotConnected,
                Exceptions = exceptions,
                ShortReads = (_now.ShortReads.Requests + _before.ShortReads.Requests, _now.ShortReads.Damaged + _before.ShortReads.Damaged),
                LongReads = (_now.LongReads.Requests + _before.LongReads.Requests, _now.LongReads.Damaged + _before.LongReads.Damaged),
                UsualLatency = usualLatency,
            };
        }
    }
}
