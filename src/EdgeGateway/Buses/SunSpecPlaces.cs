using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Buses;

/// <summary>Where the SunSpec models of each unit stand, and reads relative to them.</summary>
/// <remarks>
/// <para>
/// SunSpec Device Information Model Specification 1.1: at 40000, 0 or 50000 stands "SunS", behind it models one after the other (<see cref="SunSpecWalk"/>). A map can move while the
/// device runs on, with a new firmware or another option, and a device may implement less of a model than its profile names. So every request begins at the model's first register, and its
/// reply shows the model's number and length: with another number the reply is thrown away and the model looked for anew, and what lies behind the length is refused as an address that the device
/// does not have. A value never comes from the registers of something else.
/// </para>
/// <para>
/// Where one request from the first register on would be longer than the device takes, the registers are read alone and number and length right behind them: what moved before the
/// first is seen by the second.
/// </para>
/// </remarks>
internal sealed class SunSpecPlaces(SunSpecPlaces.Exchange exchange, TimeProvider time)
{
    /// <summary>Where the marker may stand, in the order in which the places are asked.</summary>
    public static readonly IReadOnlyList<ushort> Bases = [40_000, 0, 50_000];

    /// <summary>The marker, "SunS", as two registers.</summary>
    public const uint Marker = 0x5375_6E53;

    /// <summary>How long a model that the device does not have is not looked for again.</summary>
    public static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(1);

    private const int MostQuantity = 125;
    private const int HeadLength = 2;
    private const int StrikesUntilTooLong = 2;

    // A register behind the end of the model is one that this device does not have (MODBUS V1.1b3, 7: illegal data address).
    private static readonly BusReply Beyond = new(QualityReason.DeviceException, 0x02);

    private readonly ConcurrentDictionary<(byte Unit, ushort Model), Place> _places = new();
    private readonly ConcurrentDictionary<(byte Unit, ushort Model), (long Since, string Problem)> _absent = new();

    /// <summary>Does one request with addresses as on the wire.</summary>
    public delegate ValueTask<BusReply> Exchange(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Reads registers of a model.</summary>
    /// <returns>The reply, and what is wrong in words where the reply alone does not say it.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(BusReply Reply, string? Problem)> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var key = (unit, request.SunSpecModel);
        for (var attempt = 0; ; attempt++)
        {
            if (!_places.TryGetValue(key, out var place))
            {
                if (_absent.TryGetValue(key, out var absence) && time.GetElapsedTime(absence.Since) < AbsentFor)
                {
                    return (new BusReply(QualityReason.WrongReply), absence.Problem);
                }

                (var reply, place, var problem) = await FindAsync(unit, request.SunSpecModel, timeout, cancel).ConfigureAwait(false);
                if (place is null)
                {
                    if (problem is not null)
                    {
                        _absent[key] = (time.GetTimestamp(), problem);
                    }

                    return (reply, problem);
                }

                _places[key] = place;
                _absent.TryRemove(key, out _);
            }

            if (await ReadAtAsync(place, unit, request, registers, timeout, cancel).ConfigureAwait(false) is { } read)
            {
                return (read, read == Beyond && request.Address + request.Quantity > place.Registers
                    ? $"unit {unit} has {place.Length} registers in its SunSpec model {request.SunSpecModel}: what the profile names behind them it does not have"
                    : null);
            }

            _places.TryRemove(key, out _);
            if (attempt > 0)
            {
                return (new BusReply(QualityReason.WrongReply), $"unit {unit} refuses registers of its SunSpec model {request.SunSpecModel} at {place.At}, or moves it about");
            }
        }
    }

    /// <summary>One request from the model's first register on, or, where that would be too long, the registers and then the first two.</summary>
    /// <returns>The reply; null when the model is not there any more.</returns>
    private async ValueTask<BusReply?> ReadAtAsync(Place place, byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var end = request.Address + request.Quantity;
        var whole = Math.Max(end, HeadLength);
        var most = request.MostRegisters > 0 ? request.MostRegisters : MostQuantity;
        if (end <= place.Registers && whole <= most && place.MayTake(whole) && registers.Length >= whole)
        {
            var reply = await exchange(unit, new(request.Table, (ushort)place.At, (ushort)whole), registers, timeout, cancel).ConfigureAwait(false);
            if (reply.IsGood)
            {
                place.Answered(whole);
                if (registers.Span[0] != request.SunSpecModel)
                {
                    return null;
                }

                place.Length = registers.Span[1];
                if (end > place.Registers)
                {
                    return Beyond;
                }

                registers.Span[request.Address..end].CopyTo(registers.Span);
                return reply;
            }

            if (reply.Reason == QualityReason.Timeout)
            {
                place.WasSilent(whole);
            }

            // The model may have moved, or the request is too long: both show when the registers are read alone.
            if (!reply.IsRefusal && reply.Reason != QualityReason.ShortReply)
            {
                return reply;
            }
        }

        var isAsked = end <= place.Registers;
        var rest = Beyond;
        if (isAsked)
        {
            rest = await exchange(unit, new(request.Table, (ushort)(place.At + request.Address), request.Quantity), registers, timeout, cancel).ConfigureAwait(false);
            if (!rest.IsGood && !rest.IsRefusal)
            {
                return rest;
            }
        }

        var head = registers.Length >= request.Quantity + HeadLength ? registers.Slice(request.Quantity, HeadLength) : new ushort[HeadLength];
        var proof = await exchange(unit, new(request.Table, (ushort)place.At, HeadLength), head, timeout, cancel).ConfigureAwait(false);
        if (!proof.IsGood)
        {
            return proof.IsRefusal ? null : proof;
        }

        if (head.Span[0] != request.SunSpecModel)
        {
            return null;
        }

        // One that has grown is read with the next request.
        place.Length = head.Span[1];
        if (!isAsked || end > place.Registers)
        {
            return Beyond;
        }

        if (rest.IsGood && whole <= most)
        {
            place.ReadApart(whole);
        }

        return rest;
    }

    private async ValueTask<(BusReply Reply, Place? Place, string? Problem)> FindAsync(byte unit, ushort model, TimeSpan timeout, CancellationToken cancel)
    {
        var words = new ushort[HeadLength];
        var unsure = BusReply.Good;
        foreach (var first in Bases)
        {
            var reply = await PairAsync(first).ConfigureAwait(false);
            if (reply.Reason == QualityReason.NotConnected)
            {
                return (reply, null, null);
            }

            if (!reply.IsGood && !reply.IsRefusal)
            {
                // Busy, or silent as some devices are at addresses that they do not have: the marker may stand at the next place.
                unsure = reply;
                continue;
            }

            if (!reply.IsGood || ((uint)words[0] << 16 | words[1]) != Marker)
            {
                continue;
            }

            var walk = new SunSpecWalk(first);
            while (walk.Next is { } at)
            {
                reply = await PairAsync(at).ConfigureAwait(false);
                if (reply.IsRefusal)
                {
                    walk.Refused();
                    break;
                }

                if (!reply.IsGood)
                {
                    return (reply, null, null);
                }

                walk.Take(words[0], words[1]);
                if (walk.Models.Count > 0 && walk.Models[^1] is var entry && entry.Number == model)
                {
                    return (BusReply.Good, new Place(entry.At, entry.Length), null);
                }
            }

            var has = walk.Models.Count > 0 ? $"it has {string.Join(", ", walk.Models.Select(m => m.Number).Distinct())}: choose the profile of one of these" : "it has none";
            return (new BusReply(QualityReason.WrongReply), null, $"unit {unit} has no SunSpec model {model}; {has}{(walk.Problem is { } problem ? $". Also, {problem}" : "")}");
        }

        return unsure.IsGood
            ? (new BusReply(QualityReason.WrongReply), null, $"unit {unit} shows no SunSpec marker at 40000, 0 or 50000: SunSpec is switched off on the device, or it is another device")
            : (unsure, null, null);

        ValueTask<BusReply> PairAsync(int at) => exchange(unit, new(RegisterTable.HoldingRegister, (ushort)at, HeadLength), words, timeout, cancel);
    }

    /// <summary>Where a model stands, and how it may be read there.</summary>
    private sealed class Place(int at, int length)
    {
        private int _most = MostQuantity;
        private int _silentFrom = int.MaxValue;
        private int _struck;
        private int _strikes;

        /// <summary>Address of the register that holds the model's number.</summary>
        public int At { get; } = at;

        /// <summary>Registers behind number and length, as the device stated them last.</summary>
        public int Length { get; set; } = length;

        /// <summary>Registers of the whole model.</summary>
        public int Registers => Length + HeadLength;

        /// <summary>Whether so many registers from the first one on may be asked for in one request.</summary>
        public bool MayTake(int registers) => registers <= _most && registers < _silentFrom;

        /// <summary>So many came in one request.</summary>
        public void Answered(int registers) => _strikes = registers >= _struck ? 0 : _strikes;

        /// <summary>Nothing came: the device is away, or does not answer a request of this length.</summary>
        public void WasSilent(int registers) => _silentFrom = Math.Min(_silentFrom, registers);

        /// <summary>What so many would have brought came in two requests: the device is there, and when it refused the one or did not answer it twice, that was too long.</summary>
        public void ReadApart(int registers)
        {
            if (registers < _silentFrom)
            {
                _most = Math.Min(_most, registers - 1);
                return;
            }

            _struck = _silentFrom;
            _silentFrom = int.MaxValue;
            if (++_strikes >= StrikesUntilTooLong)
            {
                (_most, _strikes) = (_struck - 1, 0);
            }
        }
    }
}
