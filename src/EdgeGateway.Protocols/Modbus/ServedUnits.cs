namespace EdgeGateway.Protocols.Modbus;

/// <summary>What the servers share: units, faults, counters.</summary>
/// <remarks>A unit or a hook that throws fails one request, which is answered by exception 04; the server goes on, and its owner can see what was thrown.</remarks>
internal sealed class ServedUnits(Func<byte, IModbusUnit?> units, ModbusServerOptions options)
{
    private readonly UnitCounters?[] _counters = new UnitCounters?[256];
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    private long _requests;
    private Exception? _lastError;

    /// <summary>Requests so far.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>What a unit or the hook for faults threw last; null as long as none has.</summary>
    public Exception? LastError => Volatile.Read(ref _lastError);

    /// <summary>Counts a request and asks how its answer is to go wrong; the delay includes the server's latency.</summary>
    public ServerFault Receive(byte unit, ReadOnlySpan<byte> pdu)
    {
        var number = Interlocked.Increment(ref _requests);
        try
        {
            var fault = options.Faults?.Invoke(RequestHandler.Summarise(number, unit, pdu)) ?? ServerFault.None;
            var delay = fault.Delay + options.Latency;
            return delay <= LongestDelay
                ? fault with { Delay = delay }
                : throw new InvalidOperationException($"the answer to request {number} was to be delayed by {delay}: a day is the most");
        }
        catch (Exception thrown)
        {
            Failed(thrown);
            return ServerFault.Refuse(ModbusExceptionCode.ServerDeviceFailure);
        }
    }

    /// <summary>Whether there is such a unit; one whose search fails is there, and will say so.</summary>
    public bool Has(byte unit)
    {
        try
        {
            return units(unit) is not null;
        }
        catch (Exception thrown)
        {
            Failed(thrown);
            return true;
        }
    }

    /// <summary>Writes the response PDU, before a fault of its frame; returns its length in bytes, 0 for silence.</summary>
    public int Respond(byte unitId, ReadOnlySpan<byte> pdu, ServerFault fault, Span<byte> response)
    {
        if (fault.Kind == ServerFaultKind.Silence)
        {
            return 0;
        }

        try
        {
            return units(unitId) is not { } unit ? 0
                : fault.Kind == ServerFaultKind.Exception ? Pdu.WriteException(response, pdu[0], fault.ExceptionCode)
                : RequestHandler.Handle(pdu, unit, response, CountersOf(unitId, unit));
        }
        catch (Exception thrown)
        {
            Failed(thrown);
            return Pdu.WriteException(response, pdu[0], ModbusExceptionCode.ServerDeviceFailure);
        }
    }

    /// <summary>Carries out a request to all units, if it is one that may be sent to all; nobody answers.</summary>
    public void Broadcast(ReadOnlySpan<byte> pdu, Span<byte> unused)
    {
        if (!RequestShape.IsWriteOnly((ModbusFunction)pdu[0]))
        {
            return;
        }

        if (Carry(0, pdu, unused))
        {
            return;
        }

        for (var id = 1; id <= 247; id++)
        {
            _ = Carry((byte)id, pdu, unused);
        }
    }

    /// <summary>A frame was seen on the line. Units count it from the first request to them on.</summary>
    public void Seen(bool isDamaged)
    {
        foreach (var counters in _counters)
        {
            counters?.Seen(isDamaged);
        }
    }

    /// <summary>Lets one unit carry out a broadcast; false when there is no such unit. One that fails does not keep it from the others.</summary>
    private bool Carry(byte id, ReadOnlySpan<byte> pdu, Span<byte> unused)
    {
        try
        {
            if (units(id) is not { } unit)
            {
                return false;
            }

            RequestHandler.Handle(pdu, unit, unused);
        }
        catch (Exception thrown)
        {
            Failed(thrown);
        }

        return true;
    }

    private void Failed(Exception thrown) => Volatile.Write(ref _lastError, thrown);

    private UnitCounters? CountersOf(byte id, IModbusUnit unit)
    {
        if (!unit.HasDiagnostics)
        {
            return null;
        }

        if (_counters[id] is null)
        {
            Interlocked.CompareExchange(ref _counters[id], new(), null);
        }

        return _counters[id];
    }
}
