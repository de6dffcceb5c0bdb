namespace EdgeGateway.Protocols.Modbus;

/// <summary>Requests in the order in which they came; never more than its capacity. Not safe for several threads.</summary>
internal sealed class ExchangeQueue(int capacity)
{
    private readonly ModbusExchange?[] _ring = new ModbusExchange?[capacity];
    private int _first;

    public int Count { get; private set; }

    /// <summary>One that waits; 0 is the one that is next.</summary>
    public ModbusExchange this[int index] => _ring[(_first + index) % _ring.Length]!;

    public void Add(ModbusExchange exchange)
    {
        _ring[(_first + Count) % _ring.Length] = exchange;
        Count++;
    }

    public ModbusExchange Take()
    {
        var exchange = _ring[_first]!;
        _ring[_first] = null;
        _first = (_first + 1) % _ring.Length;
        Count--;
        return exchange;
    }

    /// <summary>Takes out the request that travelled last under this id; null when there is none.</summary>
    public ModbusExchange? Take(ushort transactionId)
    {
        for (var i = 0; i < Count; i++)
        {
            if (this[i] is var exchange && exchange.TransactionId == transactionId)
            {
                Remove(exchange);
                return exchange;
            }
        }

        return null;
    }

    /// <summary>Takes one out from anywhere; false when it is not here.</summary>
    public bool Remove(ModbusExchange exchange)
    {
        var isFound = false;
        for (var left = Count; left > 0; left--)
        {
            var next = Take();
            if (next == exchange)
            {
                isFound = true;
            }
            else
            {
                Add(next);
            }
        }

        return isFound;
    }
}
