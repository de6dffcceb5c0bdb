namespace EdgeGateway.Protocols.Modbus;

/// <summary>
/// The transactions under way on one connection, in the order in which they were sent, and the ids that may still be answered. Not
/// safe for several threads.
/// </summary>
/// <remarks>
/// MODBUS Messaging on TCP/IP V1.0b, 4.4.1: the transaction id ties an answer to its request. Ids are given in order and come round
/// after 65,536; one that is under way, or was left unanswered, is passed over. When too many were left unanswered the connection is
/// <see cref="IsWorn"/> and should be made anew: nothing that was asked on the old one can be answered on the new one.
/// </remarks>
internal sealed class TransactionTable(int capacity)
{
    private const int MostUnanswered = 1024;

    private readonly ModbusExchange[] _sent = new ModbusExchange[capacity];
    private readonly HashSet<ushort> _unanswered = [];
    private ushort _last;
    private int _issued;

    /// <summary>How many are under way.</summary>
    public int Count { get; private set; }

    /// <summary>So many requests were never answered that the connection should be made anew.</summary>
    public bool IsWorn => _unanswered.Count >= MostUnanswered;

    /// <summary>One that is under way; 0 is the one that was sent first.</summary>
    public ModbusExchange this[int index] => _sent[index];

    /// <summary>Gives a request its transaction id and puts it under way.</summary>
    public void Add(ModbusExchange exchange, long now)
    {
        do
        {
            unchecked
            {
                _last++;
            }
        }
        while (_unanswered.Contains(_last) || Find(_last) >= 0);

        _issued = Math.Min(_issued + 1, ushort.MaxValue + 1);
        exchange.TransactionId = _last;
        exchange.SentAt = exchange.ClockStart = now;
        exchange.IsOvertaken = false;
        _sent[Count++] = exchange;
        exchange.Crowd = Count;
        if (Count > 1)
        {
            exchange.WasCrowded = true;
            _sent[0].WasCrowded = true;
        }
    }

    /// <summary>Takes out the request that this id belongs to; null when there is none.</summary>
    public ModbusExchange? Take(ushort id, long now)
    {
        var index = Find(id);
        if (index < 0)
        {
            return null;
        }

        for (var i = 0; i < index; i++)
        {
            _sent[i].IsOvertaken = true;
        }

        return RemoveAt(index, now);
    }

    /// <summary>Gives up waiting for an answer. It may still come, so the id is not given again.</summary>
    public void Abandon(ModbusExchange exchange, long now)
    {
        RemoveAt(Array.IndexOf(_sent, exchange, 0, Count), now);
        _unanswered.Add(exchange.TransactionId);
    }

    /// <summary>An answer came that nobody waits for. True when it belongs to a request of this connection: it is late, or doubled.</summary>
    /// <param name="id">The transaction id of the answer.</param>
    /// <param name="wasMissing">Whether it had been given up.</param>
    public bool Settle(ushort id, out bool wasMissing)
    {
        wasMissing = _unanswered.Remove(id);
        return wasMissing || unchecked((ushort)(_last - id)) < _issued;
    }

    /// <summary>Forgets everything but the counter: the connection is gone.</summary>
    public void Clear()
    {
        Array.Clear(_sent);
        _unanswered.Clear();
        _issued = 0;
        Count = 0;
    }

    private int Find(ushort id)
    {
        for (var i = 0; i < Count; i++)
        {
            if (_sent[i].TransactionId == id)
            {
                return i;
            }
        }

        return -1;
    }

    private ModbusExchange RemoveAt(int index, long now)
    {
        var exchange = _sent[index];
        Array.Copy(_sent, index + 1, _sent, index, Count - index - 1);
        Count--;
        if (index == 0 && Count > 0)
        {
            // A server that answers in order could not begin with this one before now.
            _sent[0].ClockStart = now;
        }

        return exchange;
    }
}
