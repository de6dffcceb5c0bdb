using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Buses;

/// <summary>Where the SunSpec models of each unit stand, and reads relative to them.</summary>
/// <remarks>
/// SunSpec Device Information Model Specification 1.1: at 40000, 0 or 50000 stands "SunS", behind it models one after the other, each with its number and the count of
/// registers that follow; 0xFFFF ends the list. A map can move while the device runs on, with a new firmware or another option. So every request begins at the model's first register, and
/// a reply whose first register does not hold the model's number is thrown away and the model looked for anew: a value never comes from the registers of something else.
/// </remarks>
internal sealed class SunSpecPlaces(SunSpecPlaces.Exchange exchange)
{
    /// <summary>Where the marker may stand, in the order in which the places are asked.</summary>
    public static readonly IReadOnlyList<ushort> Bases = [40_000, 0, 50_000];

    /// <summary>The marker, "SunS", as two registers.</summary>
    public const uint Marker = 0x5375_6E53;

    /// <summary>What ends the list of models.</summary>
    public const ushort EndOfModels = 0xFFFF;

    /// <summary>Most models that are looked at; a list that is longer is no list.</summary>
    public const int MostModels = 60;

    private const int MostQuantity = 125;
    private readonly ConcurrentDictionary<(byte Unit, ushort Model), ushort> _places = new();

    /// <summary>Does one request with addresses as on the wire.</summary>
    public delegate ValueTask<BusReply> Exchange(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel);

    /// <summary>Reads registers of a model.</summary>
    /// <returns>The reply, and what is wrong in words where the reply alone does not say it.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(BusReply Reply, string? Problem)> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var key = (unit, request.SunSpecModel);
        var isKnown = _places.TryGetValue(key, out var place);
        for (var attempt = 0; ; attempt++)
        {
            if (!isKnown)
            {
                (var found, var at, var problem) = await FindAsync(unit, request.SunSpecModel, timeout, cancel).ConfigureAwait(false);
                if (!found.IsGood)
                {
                    return (found, problem);
                }

                isKnown = true;
                place = (ushort)at;
                _places[key] = place;
            }

            var reply = await ReadAtAsync(place, unit, request, registers, timeout, cancel).ConfigureAwait(false);
            var mayHaveMoved = reply.Reason == QualityReason.WrongReply || (reply.Reason == QualityReason.DeviceException && reply.Detail is 0x02 or 0x03);
            if (!mayHaveMoved)
            {
                return (reply, null);
            }

            _places.TryRemove(key, out _);
            if (attempt > 0)
            {
                return (reply, $"unit {unit} refuses registers of its SunSpec model {request.SunSpecModel} at {place}, or moves it about");
            }

            isKnown = false;
        }
    }

    /// <summary>One request from the model's first register on, or, where that would be too long, its first register and then the others.</summary>
    private async ValueTask<BusReply> ReadAtAsync(ushort place, byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var end = request.Address + request.Quantity;
        if (place + end > 0x10000)
        {
            return new BusReply(QualityReason.DeviceException, 0x02);
        }

        if (end <= MostQuantity && registers.Length >= end)
        {
            var whole = await exchange(unit, new(request.Table, place, (ushort)end), registers, timeout, cancel).ConfigureAwait(false);
            if (whole.IsGood)
            {
                if (registers.Span[0] != request.SunSpecModel)
                {
                    return new BusReply(QualityReason.WrongReply);
                }

                registers.Span[request.Address..end].CopyTo(registers.Span);
            }

            return whole;
        }

        var head = await exchange(unit, new(request.Table, place, 1), registers, timeout, cancel).ConfigureAwait(false);
        if (!head.IsGood || registers.Span[0] != request.SunSpecModel)
        {
            return head.IsGood ? new BusReply(QualityReason.WrongReply) : head;
        }

        return await exchange(unit, new(request.Table, (ushort)(place + request.Address), request.Quantity), registers, timeout, cancel).ConfigureAwait(false);
    }

    private async ValueTask<(BusReply Reply, int At, string? Problem)> FindAsync(byte unit, ushort model, TimeSpan timeout, CancellationToken cancel)
    {
        var words = new ushort[2];
        var isSunSpec = false;
        var shown = new List<ushort>();
        foreach (var first in Bases)
        {
            var reply = await PairAsync(first).ConfigureAwait(false);
            if (!reply.IsAnswer)
            {
                return (reply, 0, null);
            }

            if (!reply.IsGood || ((uint)words[0] << 16 | words[1]) != Marker)
            {
                continue;
            }

            isSunSpec = true;
            for (var at = first + 2; at + 1 <= ushort.MaxValue && shown.Count < MostModels; at += 2 + words[1])
            {
                reply = await PairAsync(at).ConfigureAwait(false);
                if (!reply.IsAnswer)
                {
                    return (reply, 0, null);
                }

                if (!reply.IsGood || words[0] == EndOfModels)
                {
                    break;
                }

                if (words[0] == model)
                {
                    return (BusReply.Good, at, null);
                }

                shown.Add(words[0]);
            }
        }

        return (
            new BusReply(QualityReason.WrongReply),
            0,
            isSunSpec
                ? $"unit {unit} has no SunSpec model {model}; it has {string.Join(", ", shown)}: choose the profile of one of these"
                : $"unit {unit} shows no SunSpec marker at 40000, 0 or 50000: SunSpec is switched off on the device, or it is another device");

        ValueTask<BusReply> PairAsync(int at) => exchange(unit, new(RegisterTable.HoldingRegister, (ushort)at, 2), words, timeout, cancel);
    }
}
