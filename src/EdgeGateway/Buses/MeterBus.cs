using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Dlt645;

namespace EdgeGateway.Buses;

/// <summary>
/// DL/T 645 meters as a bus: their quantities stand in registers (<see cref="Dlt645Layout"/>), and a read of registers asks for the identifiers behind them, a block of the standard
/// at once where the meter offers blocks. What a meter does not offer, or has no value of now, says "not available"; the read as a whole is refused only when it offers none of what was asked.
/// </summary>
/// <param name="model">The meters.</param>
/// <param name="client">Asks them; the bus owns it.</param>
internal sealed class MeterBus(IMeterBus model, Dlt645Client client) : IBus, IWatchedBus
{
    // The protocol's words for "not here" and "not done here" (MODBUS V1.1b3, 7), which every bus uses.
    private const byte IllegalFunction = 1;
    private const byte IllegalAddress = 2;

    private const uint Block = 0x0000_FF00;
    private const int LongestData = 1024;
    private static readonly DataIdentifier Date = new(0x0400_0101);
    private static readonly DataIdentifier TimeOfDay = new(0x0400_0102);

    private readonly Dictionary<byte, MeterAddress> _meters = model.Meters.ToDictionary(m => m.Unit, m => MeterAddress.TryParse(m.Address, out var address) ? address : default);
    private readonly HashSet<(byte Unit, uint Block)> _withoutBlocks = [];
    private readonly byte[] _data = new byte[LongestData];
    private string _lastProblem = "";

    /// <summary>The client that asks the meters, for what only this protocol has.</summary>
    public Dlt645Client Client => client;

    /// <inheritdoc/>
    public int MaxInFlight => 1;

    /// <inheritdoc/>
    public void Watch(Protocols.Modbus.IModbusTap? tap) => client.Tap = tap;

    /// <inheritdoc/>
    public WireCounters Wire => client.Counters is var seen ? new(seen.Connects, seen.LateDiscarded, seen.Echoes, 0) : default;

    /// <inheritdoc/>
    public string LastProblem => _lastProblem;

    /// <summary>Reads registers; <paramref name="timeout"/> is for each answer of the meter, of which a read may take several.</summary>
    /// <inheritdoc/>
    public async ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        registers.Span[..request.Quantity].Clear();
        var places = request.Table == RegisterTable.InputRegister ? Dlt645Layout.Within(request.Address, request.Quantity).ToList() : [];
        if (places.Count == 0 || !_meters.TryGetValue(unit, out var meter))
        {
            return Refuse(places.Count == 0 ? $"no quantity of DL/T 645 stands at {request.Address}" : $"no meter of this bus has the unit {unit}");
        }

        foreach (var place in places)
        {
            Put(registers.Span, request, place, null);
        }

        var (offered, failure) = (0, BusReply.Good);
        foreach (var family in places.GroupBy(p => p.Identifier | Block))
        {
            var identifiers = family.Select(p => p.Identifier).Distinct().ToList();
            if (family.First().Part == Dlt645Part.Clock)
            {
                (var clock, failure) = await ClockAsync(meter, timeout, cancel).ConfigureAwait(false);
                offered += clock is not null ? 1 : 0;
                Put(registers.Span, request, family.First(), clock);
            }
            else if (identifiers.Count > 1 && !_withoutBlocks.Contains((unit, family.Key)))
            {
                var outcome = await client.ReadAsync(meter, new(family.Key), _data, timeout, cancel).ConfigureAwait(false);
                if (outcome.Status == Dlt645Status.Refused)
                {
                    _withoutBlocks.Add((unit, family.Key));
                    (var some, failure) = await SinglyAsync(identifiers).ConfigureAwait(false);
                    offered += some;
                }
                else if (outcome.IsOk)
                {
                    offered++;
                    foreach (var place in family)
                    {
                        Put(registers.Span, request, place, InBlock(place.Identifier, outcome.Length));
                    }
                }
                else if (outcome.Status != Dlt645Status.NoValue)
                {
                    failure = Judge(outcome);
                }
            }
            else
            {
                (var some, failure) = await SinglyAsync(identifiers).ConfigureAwait(false);
                offered += some;
            }

            if (!failure.IsGood)
            {
                return failure;
            }

            async ValueTask<(int Offered, BusReply Failure)> SinglyAsync(List<uint> asked)
            {
                var some = 0;
                foreach (var identifier in asked)
                {
                    var outcome = await client.ReadAsync(meter, new(identifier), _data, timeout, cancel).ConfigureAwait(false);
                    if (outcome.Status is not (Dlt645Status.Ok or Dlt645Status.Refused or Dlt645Status.NoValue))
                    {
                        return (some, Judge(outcome));
                    }

                    some += outcome.Status == Dlt645Status.Refused ? 0 : 1;
                    _lastProblem = outcome.Status == Dlt645Status.Refused ? $"{meter}, {new DataIdentifier(identifier)}: {outcome.Describe()}" : _lastProblem;
                    foreach (var place in family.Where(p => p.Identifier == identifier))
                    {
                        Put(registers.Span, request, place, outcome.IsOk ? _data.AsMemory(0, outcome.Length) : null);
                    }
                }

                return (some, BusReply.Good);
            }
        }

        return offered > 0 ? BusReply.Good : Refuse(_lastProblem);
    }

    /// <summary>Meters are never written by this program.</summary>
    /// <inheritdoc/>
    public ValueTask<BusReply> WriteAsync(byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
        ValueTask.FromResult(new BusReply(QualityReason.DeviceException, IllegalFunction));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => client.DisposeAsync();

    private BusReply Refuse(string problem)
    {
        _lastProblem = problem;
        return new(QualityReason.DeviceException, IllegalAddress);
    }

    private BusReply Judge(Dlt645Outcome outcome)
    {
        _lastProblem = outcome.Describe();
        return outcome.Status switch
        {
            Dlt645Status.Timeout => new(QualityReason.Timeout),
            Dlt645Status.NotConnected => new(QualityReason.NotConnected),
            Dlt645Status.ShortReply => new(QualityReason.ShortReply),
            Dlt645Status.WrongAddress or Dlt645Status.WrongReply => new(QualityReason.WrongReply),
            _ => new(QualityReason.CorruptFrame),
        };
    }

    /// <summary>The data of one identifier in those of its block, which holds the items one behind the other; null when the meter sends fewer.</summary>
    private ReadOnlyMemory<byte>? InBlock(uint identifier, int length)
    {
        // Energies, demands and what has a total begin with DI1 = 0, voltages, currents and angles with phase A.
        var first = DataItems.Find(new(identifier & ~Block)) is null ? 1 : 0;
        if (DataItems.Find(new(identifier)) is not { } item)
        {
            return null;
        }

        var at = ((int)((identifier & Block) >> 8) - first) * item.Length;
        return at + item.Length <= length ? _data.AsMemory(at, item.Length) : null;
    }

    /// <summary>Date and time of day are two items: the date is read again when midnight may lie between.</summary>
    private async ValueTask<(ReadOnlyMemory<byte>? Clock, BusReply Failure)> ClockAsync(MeterAddress meter, TimeSpan timeout, CancellationToken cancel)
    {
        var time = new byte[3];
        var outcome = await client.ReadAsync(meter, TimeOfDay, _data, timeout, cancel).ConfigureAwait(false);
        if (outcome is { IsOk: true, Length: >= 3 })
        {
            _data.AsSpan(0, 3).CopyTo(time);
            outcome = await client.ReadAsync(meter, Date, _data, timeout, cancel).ConfigureAwait(false);
            if (outcome.IsOk && time[2] == 0x23)
            {
                // It was before midnight when the time was read, and may not have been when the date was: ask for the time once more.
                var date = _data.AsSpan(0, 4).ToArray();
                var again = await client.ReadAsync(meter, TimeOfDay, _data, timeout, cancel).ConfigureAwait(false);
                if (again is { IsOk: true, Length: >= 3 } && _data[2] != 0x23)
                {
                    _data.AsSpan(0, 3).CopyTo(time);
                    outcome = await client.ReadAsync(meter, Date, _data, timeout, cancel).ConfigureAwait(false);
                }
                else
                {
                    outcome = again;
                    date.CopyTo(_data, 0);
                }
            }
        }

        return outcome.Status switch
        {
            // YYMMDDhhmmss, least significant byte first; the day of the week is left out.
            Dlt645Status.Ok => (new byte[] { time[0], time[1], time[2], _data[1], _data[2], _data[3] }, BusReply.Good),
            Dlt645Status.Refused or Dlt645Status.NoValue => (null, BusReply.Good),
            _ => (null, Judge(outcome)),
        };
    }

    /// <summary>Puts a value into the registers of a request, as far as they hold it; null says that there is none.</summary>
    private static void Put(Span<ushort> registers, ReadRequest request, Dlt645Place place, ReadOnlyMemory<byte>? data)
    {
        Span<ushort> words = stackalloc ushort[3];
        words = words[..place.Encoding.Length];
        if (place.Part == Dlt645Part.Number)
        {
            var bits = Dlt645Layout.Absent;
            if (data is { } bytes && DataItems.Find(new(place.Identifier)) is { } item && bytes.Length >= item.NumberBytes && Bcd.TryRead(bytes.Span[..item.NumberBytes], item.IsSigned, out var number))
            {
                bits = unchecked((uint)(int)number);
            }

            (words[0], words[1]) = ((ushort)(bits >> 16), (ushort)(bits & 0xFFFF));
        }
        else
        {
            // YYMM DDhh mmss; digits above 9 where there is no date.
            words.Fill(ushort.MaxValue);
            var isClock = place.Part == Dlt645Part.Clock;
            var item = DataItems.Find(new(place.Identifier));
            var from = isClock ? 0 : item?.NumberBytes ?? 0;
            if (data is { } bytes && bytes.Length >= from + (isClock ? 6 : 5))
            {
                var b = bytes.Span[from..];
                var at = isClock ? 1 : 0;
                (words[0], words[1], words[2]) = (Pair(b[at + 4], b[at + 3]), Pair(b[at + 2], b[at + 1]), Pair(b[at], isClock ? b[0] : (byte)0));
            }
        }

        for (var i = 0; i < words.Length; i++)
        {
            if (place.Address + i - request.Address is >= 0 and var offset && offset < request.Quantity)
            {
                registers[offset] = words[i];
            }
        }

        static ushort Pair(byte high, byte low) => (ushort)((high << 8) | low);
    }
}
