namespace EdgeGateway.Protocols.Modbus;

/// <summary>What may still arrive from one unit although nobody waits for it any more, and how to find out that it will not.</summary>
/// <remarks>
/// An RTU frame has no transaction id: the answer to an abandoned request looks like the answer to the next one of the same shape
/// (function and byte count). What can be relied on is that a device answers in the order it was asked. So the shapes of abandoned
/// requests are remembered, in order, and a request whose shape is among them is not sent. Instead a <i>fence</i> goes first: a read
/// whose answer cannot be mistaken for any that is outstanding, because its byte count or its function differs. Its answer proves that
/// everything asked before it has been answered or never will be.
///
/// A fence is a read of the same function, at the same address, with another quantity; devices understand that. An exception has no byte
/// count, so the refusal of such a fence proves nothing while the same function is outstanding; then the neighbouring table (03 for
/// 04, 01 for 02, and the reverse) is read, whose refusal is as good as its data. A unit that does not answer that either is left
/// alone for <see cref="RtuTiming.LateReplyHorizon"/>.
///
/// A request that differs from all that is outstanding is its own fence and costs nothing extra.
/// </remarks>
internal sealed class RtuFence
{
    private const int Capacity = 16;

    private readonly Outstanding[] _outstanding = new Outstanding[Capacity];
    private int _count;
    private long _sent;
    private bool _refusesQuantity;
    private bool _ignoresNeighbour;

    /// <summary>What to send next.</summary>
    public enum Step
    {
        /// <summary>The request itself.</summary>
        Request,

        /// <summary>The fence first.</summary>
        Fence,

        /// <summary>Nothing: the unit has to be left alone for a while.</summary>
        Hold,
    }

    /// <summary>Whether nothing is outstanding.</summary>
    public bool IsClear => _count == 0;

    /// <summary>Whether an answer with data to this request could be one to an abandoned request.</summary>
    public bool Confuses(RequestShape shape) => Find(shape) >= 0;

    /// <summary>Whether an exception with this function could be an answer to an abandoned request.</summary>
    public bool ConfusesException(ModbusFunction function)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_outstanding[i].Function == function)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Decides what to send when <paramref name="wanted"/> is asked for.</summary>
    public Step Plan(RequestShape wanted, out RequestShape fence)
    {
        fence = default;
        if (_count == Capacity)
        {
            return Step.Hold;
        }

        if (!Confuses(wanted) && !(_refusesQuantity && ConfusesException(wanted.Function)))
        {
            return Step.Request;
        }

        var read = FenceFunction(wanted.Function);
        var mustPass = LastSent(wanted);
        if (!_refusesQuantity && TryFence(wanted, read, mustPass, out fence))
        {
            return Step.Fence;
        }

        var neighbour = Neighbour(read);
        if (!_ignoresNeighbour && !ConfusesException(neighbour))
        {
            fence = new(wanted.Unit, neighbour, wanted.Address, 1);
            return Step.Fence;
        }

        return Step.Hold;
    }

    /// <summary>A request was given up: its answer may come at any time from now on.</summary>
    /// <remarks>When there is no room left, <see cref="Plan"/> asks for a hold, which covers what is not remembered.</remarks>
    public void Abandoned(RequestShape shape)
    {
        _sent++;
        var place = Find(shape);
        if (place >= 0)
        {
            _outstanding[place].Last = _sent;
        }
        else if (_count < Capacity)
        {
            _outstanding[_count++] = new() { Function = shape.Function, Key = shape.ReplyKey, First = _sent, Last = _sent };
        }
    }

    /// <summary>A request was answered, so whatever was asked before it has been answered or never will be.</summary>
    public void Answered(RequestShape shape)
    {
        _sent++;
        var place = Find(shape);

        // When this shape had been asked before in vain, the answer may be to the first of those.
        var passed = place < 0 ? _sent : _outstanding[place].First;
        if (place >= 0)
        {
            _outstanding[place].Last = _sent;
        }

        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_outstanding[i].Last >= passed)
            {
                _outstanding[kept++] = _outstanding[i];
            }
        }

        _count = kept;
    }

    /// <summary>A refusal came that proves nothing: fences of another quantity do not work here, at least not now.</summary>
    public void RefusedAmbiguously() => _refusesQuantity = true;

    /// <summary>A fence in the neighbouring table was not answered.</summary>
    public void FenceUnanswered(RequestShape fence, RequestShape wanted)
    {
        if (fence.Function != FenceFunction(wanted.Function))
        {
            _ignoresNeighbour = true;
        }
    }

    /// <summary>The unit has been left alone for so long that nothing can come any more.</summary>
    public void Clear()
    {
        _count = 0;
        _refusesQuantity = false;
        _ignoresNeighbour = false;
    }

    private static ModbusFunction FenceFunction(ModbusFunction function) => function switch
    {
        ModbusFunction.WriteSingleCoil or ModbusFunction.WriteMultipleCoils => ModbusFunction.ReadCoils,
        >= ModbusFunction.ReadCoils and <= ModbusFunction.ReadInputRegisters => function,
        _ => ModbusFunction.ReadHoldingRegisters,
    };

    private static ModbusFunction Neighbour(ModbusFunction function) => function switch
    {
        ModbusFunction.ReadCoils => ModbusFunction.ReadDiscreteInputs,
        ModbusFunction.ReadDiscreteInputs => ModbusFunction.ReadCoils,
        ModbusFunction.ReadHoldingRegisters => ModbusFunction.ReadInputRegisters,
        _ => ModbusFunction.ReadHoldingRegisters,
    };

    /// <summary>
    /// A read with a byte count of its own. One that was tried before serves again if it was first sent after the wanted request; the
    /// youngest is taken, so that a device that is dead for long is asked the same fence again and again, and no list grows.
    /// </summary>
    private bool TryFence(RequestShape wanted, ModbusFunction read, long mustPass, out RequestShape fence)
    {
        fence = default;
        var unused = default(RequestShape);
        var youngest = mustPass;
        for (var bytes = 1; bytes <= Capacity + 1; bytes++)
        {
            var isBits = read is ModbusFunction.ReadCoils or ModbusFunction.ReadDiscreteInputs;
            var quantity = isBits ? (8 * bytes) - 7 : bytes;
            if (wanted.Address + quantity > 0x10000)
            {
                break;
            }

            var candidate = new RequestShape(wanted.Unit, read, wanted.Address, (ushort)quantity);
            var place = Find(candidate);
            if (place < 0)
            {
                unused = unused == default ? candidate : unused;
            }
            else if (_outstanding[place].First > youngest)
            {
                fence = candidate;
                youngest = _outstanding[place].First;
            }
        }

        fence = youngest > mustPass ? fence : unused;
        return fence != default;
    }

    /// <summary>When anything was last asked that the wanted request could be confused with, by data or by an exception.</summary>
    private long LastSent(RequestShape wanted)
    {
        var last = 0L;
        for (var i = 0; i < _count; i++)
        {
            if (_outstanding[i].Function == wanted.Function && (_outstanding[i].Key == wanted.ReplyKey || _refusesQuantity))
            {
                last = Math.Max(last, _outstanding[i].Last);
            }
        }

        return last;
    }

    private int Find(RequestShape shape)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_outstanding[i].Function == shape.Function && _outstanding[i].Key == shape.ReplyKey)
            {
                return i;
            }
        }

        return -1;
    }

    private struct Outstanding
    {
        public ModbusFunction Function;
        public uint Key;
        public long First;
        public long Last;
    }
}
