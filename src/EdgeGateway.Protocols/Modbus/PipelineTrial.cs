using System.Numerics;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>
/// Proves on each connection that a server puts the right transaction id on each of several answers, before values may depend on it.
/// Logic only; not safe for several threads.
/// </summary>
/// <remarks>
/// A server with room for one header stamps the data of an older request with the id of the newest one. When both asked as many
/// registers, nothing in the answer shows it. So the client first asks as many reads at once as are to share the wire, of registers that it has
/// just read, each with another quantity, and throws their values away: data under a foreign id then has a foreign length. Three rounds
/// are to be right in full. Asked again on each new connection, for each greater number, and after an hour. Without a read of two
/// or more registers nothing can be told apart, and requests go one at a time.
/// </remarks>
internal sealed class PipelineTrial(int capacity, TimeProvider time)
{
    private const int Rounds = 3;

    private static readonly TimeSpan ProofLasts = TimeSpan.FromHours(1);

    private readonly ModbusExchange?[] _witnesses = new ModbusExchange?[capacity];
    private RequestShape _pattern;
    private TimeSpan _timeout;
    private int _proved = 1;
    private long _provedAt;
    private int _size;
    private int _sent;
    private int _answered;
    private int _rounds;

    /// <summary>Whether a trial is to begin as soon as nothing is under way.</summary>
    public bool IsDue { get; private set; }

    /// <summary>Whether a round is under way.</summary>
    public bool IsUnderWay => _size > 0;

    /// <summary>A new connection: nothing is proved on it.</summary>
    public void Connected()
    {
        _proved = 1;
        Cancel();
    }

    /// <summary>Whether so many requests may share this connection, whatever they ask.</summary>
    public bool MayShare(int count) => count <= _proved && time.GetElapsedTime(_provedAt) < ProofLasts;

    /// <summary>More is to be asked at once than is proved. Nothing happens until a read is known that can serve as a pattern.</summary>
    public void Demand() => IsDue = _pattern.Argument > 0;

    /// <summary>A read was answered with values: parts of it can be asked again without harm.</summary>
    public void Learn(ModbusExchange exchange)
    {
        var shape = exchange.Shape;
        if (shape.Function is ModbusFunction.ReadHoldingRegisters or ModbusFunction.ReadInputRegisters && shape.Argument > 1
            && shape.Argument >= _pattern.Argument && !IsUnderWay && !IsDue)
        {
            _pattern = shape;
            _timeout = exchange.Timeout;
        }
    }

    /// <summary>The unit does not answer: it proves nothing.</summary>
    public void Forget(byte unit)
    {
        if (_pattern.Unit == unit)
        {
            _pattern = default;
            Cancel();
        }
    }

    /// <summary>The next read of a trial of so many; null when all of the round are on their way.</summary>
    public ModbusExchange? Next(int count)
    {
        if (!IsUnderWay)
        {
            IsDue = false;
            _size = count;
            _sent = _answered = 0;
        }

        if (_sent == _size)
        {
            return null;
        }

        var witness = _witnesses[_sent] ??= new() { IsWitness = true };
        var shape = _pattern with { Argument = Quantity(_sent, _size, _pattern.Argument) };
        _sent++;
        witness.Start(_timeout);
        witness.AskedAt = time.GetTimestamp();
        witness.Ask(shape, shape.WriteRead(witness.Request));
        return witness;
    }

    /// <summary>One was answered in a form that can only be its own. False when it was refused: such a device can prove nothing.</summary>
    public bool Answered(bool isOk)
    {
        if (!IsUnderWay)
        {
            return true;
        }

        if (!isOk)
        {
            _pattern = default;
            Cancel();
            return false;
        }

        if (++_answered == _size)
        {
            _rounds++;
            var size = _size;
            _size = 0;
            IsDue = _rounds < Rounds;
            if (!IsDue)
            {
                _rounds = 0;
                _proved = size;
                _provedAt = time.GetTimestamp();
            }
        }

        return true;
    }

    /// <summary>Something went wrong: the trial proves nothing.</summary>
    public void Cancel()
    {
        _size = _rounds = 0;
        IsDue = false;
    }

    /// <summary>
    /// How many registers each of them asks: all different where the pattern is long enough, otherwise in an order that does not repeat itself
    /// (digit sums), so that no shift goes unseen. Even numbers of an even one: many devices do not give half a value.
    /// </summary>
    internal static ushort Quantity(int index, int size, int most)
    {
        var step = most > 2 && most % 2 == 0 ? 2 : 1;
        var levels = most / step;
        var level = levels >= size ? levels - index : 1 + (BitOperations.PopCount((uint)index) % levels);
        return (ushort)(level * step);
    }
}
