using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;
using CoreTable = EdgeGateway.Core.Profiles.RegisterTable;
using WireTable = EdgeGateway.Protocols.Modbus.RegisterTable;

namespace EdgeGateway.Commands.Profiles;

/// <summary>Reads the rounds of a trial, through the running gateway or a connection of its own; it never writes.</summary>
internal sealed class TrialReader(IProbe probe, byte unit, DeviceProfile profile, TimeSpan timeout, TimeProvider time)
{
    private readonly ushort[] _words = new ushort[2000];
    private readonly SunSpecPlaces _places = new((u, request, words, limit, cancel) => AskAsync(probe, u, request, words, limit, cancel));
    private bool _isFirst = true;

    /// <summary>Requests in a row that nobody answered.</summary>
    public int Silent { get; private set; }

    /// <summary>Why the device cannot be read, where it says so itself.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads one round.</summary>
    /// <param name="requests">What to read.</param>
    /// <param name="cancel">Ends the reading.</param>
    public async Task<RegisterSnapshot> ReadAsync(IEnumerable<ReadRequest> requests, CancellationToken cancel)
    {
        var snapshot = new RegisterSnapshot();
        foreach (var request in requests)
        {
            if (await TryAsync(snapshot, request, isLast: request.Quantity == 1, cancel).ConfigureAwait(false))
            {
                continue;
            }

            // One missing register refuses a whole block: ask for each point by itself.
            foreach (var point in profile.Points.Where(p => p.Encoding.Table == request.Table && p.Encoding.Span.First >= request.Address && p.Encoding.Span.End <= request.Address + request.Quantity))
            {
                await TryAsync(snapshot, new(request.Table, point.Encoding.Span.First, (ushort)point.Encoding.Span.Length), isLast: true, cancel).ConfigureAwait(false);
            }
        }

        return snapshot;
    }

    private async Task<bool> TryAsync(RegisterSnapshot snapshot, ReadRequest request, bool isLast, CancellationToken cancel)
    {
        if (Silent > 3)
        {
            return true;
        }

        if (!_isFirst && profile.MinGap > TimeSpan.Zero)
        {
            await Task.Delay(profile.MinGap, time, cancel).ConfigureAwait(false);
        }

        _isFirst = false;
        var asked = request.Of(profile);
        var reply = BusReply.Good;
        if (asked.SunSpecModel == 0)
        {
            reply = await AskAsync(probe, unit, asked, _words, timeout, cancel).ConfigureAwait(false);
        }
        else
        {
            (reply, Problem) = await _places.ReadAsync(unit, asked, _words, timeout, cancel).ConfigureAwait(false);
        }

        Silent = reply.IsAnswer ? 0 : Silent + 1;
        if (reply.IsGood)
        {
            snapshot.Put(request.Table, request.Address, _words.AsSpan(0, request.Quantity));
        }
        else if (reply.IsAnswer && isLast)
        {
            snapshot.PutRefused(request.Table, request.Address, request.Quantity);
        }

        return reply.IsGood || isLast || !reply.IsAnswer;
    }

    private static async ValueTask<BusReply> AskAsync(IProbe probe, byte unit, ReadRequest request, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel)
    {
        var table = request.Table switch
        {
            CoreTable.Coil => WireTable.Coil,
            CoreTable.DiscreteInput => WireTable.DiscreteInput,
            CoreTable.InputRegister => WireTable.InputRegister,
            _ => WireTable.HoldingRegister,
        };
        var outcome = await probe.ReadAsync(unit, table, request.Address, request.Quantity, words, timeout, cancel).ConfigureAwait(false);
        return outcome.Status switch
        {
            ModbusStatus.Ok => BusReply.Good,
            ModbusStatus.Exception => new BusReply(QualityReason.DeviceException, (byte)outcome.ExceptionCode),
            ModbusStatus.Timeout => new BusReply(QualityReason.Timeout),
            ModbusStatus.NotConnected => new BusReply(QualityReason.NotConnected),
            _ => new BusReply(QualityReason.CorruptFrame),
        };
    }
}
