namespace EdgeGateway.Protocols.Modbus;

/// <summary>What the servers share: units, faults, counters.</summary>
internal sealed class ServedUnits(Func<byte, IModbusUnit?> units, ModbusServerOptions options)
{
    private readonly UnitCounters?[] _counters = new UnitCounters?[256];
    private long _requests;

    /// <summary>Requests so far.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Counts a request and asks how its answer is to go wrong; the delay includes the server's latency.</summary>
    public ServerFault Receive(byte unit, ReadOnlySpan<byte> pdu)
    {
        var number = Interlocked.Increment(ref _requests);
        var fault = options.Faults?.Invoke(RequestHandler.Summarise(number, unit, pdu)) ?? ServerFault.None;
        return fault with { Delay = fault.Delay + options.Latency };
    }

    /// <summary>Whether there is such a unit.</summary>
    public bool Has(byte unit) => units(unit) is not null;

    /// <summary>Writes the response PDU, before a fault of its frame; returns its length in bytes, 0 for silence.</summary>
    public int Respond(byte unitId, ReadOnlySpan<byte> pdu, ServerFault fault, Span<byte> response)
    {
        if (fault.Kind == ServerFaultKind.Silence || units(unitId) is not { } unit)
        {
            return 0;
        }

        return fault.Kind == ServerFaultKind.Exception
            ? Pdu.WriteException(response, pdu[0], fault.ExceptionCode)
            : RequestHandler.Handle(pdu, unit, response, CountersOf(unitId, unit));
    }

    /// <summary>Carries out a request to all units, if it is one that may be sent to all; nobody answers.</summary>
    public void Broadcast(ReadOnlySpan<byte> pdu, Span<byte> unused)
    {
        if (!RequestShape.IsWriteOnly((ModbusFunction)pdu[0]))
        {
            return;
        }

        if (units(0) is { } all)
        {
            RequestHandler.Handle(pdu, all, unused);
            return;
        }

        for (var id = 1; id <= 247; id++)
        {
            if (units((byte)id) is { } unit)
            {
                RequestHandler.Handle(pdu, unit, unused);
            }
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
