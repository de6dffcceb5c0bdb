using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Asks Modbus devices over one connection or line, one request at a time.</summary>
/// <remarks>
/// A client has one owner: a second request while one is under way is a mistake of the program and throws. What devices, cables
/// and networks do wrong comes back as a <see cref="ModbusOutcome"/>. A request that is answered allocates nothing.
/// </remarks>
public abstract class ModbusClient : IAsyncDisposable
{
    private ModbusCounters _counters;
    private int _busy;
    private int _requestLength;

    private protected ModbusClient(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        Time = time;
    }

    /// <summary>What this client has seen so far.</summary>
    public ModbusCounters Counters => _counters;

    private protected TimeProvider Time { get; }

    private protected ref ModbusCounters Count => ref _counters;

    /// <summary>The PDU of the request under way.</summary>
    private protected byte[] RequestPdu { get; } = new byte[Pdu.MaxLength];

    /// <summary>The PDU that answered; set by <see cref="ExchangeAsync"/> when its outcome is Ok.</summary>
    private protected Memory<byte> ReplyPdu { get; set; }

    /// <summary>Reads one table.</summary>
    /// <param name="unit">The unit id, 0 to 255 on TCP, 1 to 255 on a serial line.</param>
    /// <param name="table">Which table.</param>
    /// <param name="address">The first register or bit, counted from 0 as on the wire.</param>
    /// <param name="quantity">How many; at most 2000 bits or 125 registers.</param>
    /// <param name="destination">Receives the registers, or bits as words that are 0 or 1; left alone unless the outcome is Ok.</param>
    /// <param name="timeout">Time for the device to answer, connecting included; time on a serial wire is added by the client.</param>
    /// <param name="cancel">Abandons the request with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">The request cannot be, whatever the device: quantity, range or a destination too small.</exception>
    /// <exception cref="InvalidOperationException">Another request is under way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> ReadAsync(
        byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> destination, TimeSpan timeout, CancellationToken cancel = default)
    {
        if (destination.Length < quantity)
        {
            throw new ArgumentException($"{quantity} values do not fit into {destination.Length} words", nameof(destination));
        }

        if (!Enum.IsDefined(table))
        {
            throw new ArgumentOutOfRangeException(nameof(table), table, "no such table");
        }

        Enter();
        try
        {
            _requestLength = table.IsBits()
                ? ReadBits.WriteRequest(RequestPdu, table, address, quantity)
                : ReadRegisters.WriteRequest(RequestPdu, table, address, quantity);
            var outcome = await RunAsync(new(unit, (ModbusFunction)table, address, (ushort)quantity), timeout, cancel).ConfigureAwait(false);
            if (!outcome.IsOk)
            {
                return outcome;
            }

            var values = destination.Span[..quantity];
            return table.IsBits()
                ? ReadBits.ReadResponse(ReplyPdu.Span, table, values)
                : ReadRegisters.ReadResponse(ReplyPdu.Span, table, values);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Writes one coil (0 is off, anything else on) or one holding register, by function 05 or 06.</summary>
    /// <exception cref="ArgumentException">The table cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another request is under way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> WriteSingleAsync(
        byte unit, RegisterTable table, ushort address, ushort value, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckWritable(table);
        Enter();
        try
        {
            RequestShape shape;
            if (table == RegisterTable.Coil)
            {
                _requestLength = WriteSingleCoil.WriteRequest(RequestPdu, address, value != 0);
                shape = new(unit, ModbusFunction.WriteSingleCoil, address, value != 0 ? (ushort)0xFF00 : (ushort)0);
            }
            else
            {
                _requestLength = WriteSingleRegister.WriteRequest(RequestPdu, address, value);
                shape = new(unit, ModbusFunction.WriteSingleRegister, address, value);
            }

            return await RunAsync(shape, timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Writes several coils or holding registers at once, by function 15 or 16.</summary>
    /// <exception cref="ArgumentException">The table cannot be written, or there are too few or too many values.</exception>
    /// <exception cref="InvalidOperationException">Another request is under way.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> WriteMultipleAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> values, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckWritable(table);
        Enter();
        try
        {
            ModbusFunction function;
            if (table == RegisterTable.Coil)
            {
                _requestLength = WriteMultipleCoils.WriteRequest(RequestPdu, address, values.Span);
                function = ModbusFunction.WriteMultipleCoils;
            }
            else
            {
                _requestLength = WriteMultipleRegisters.WriteRequest(RequestPdu, address, values.Span);
                function = ModbusFunction.WriteMultipleRegisters;
            }

            return await RunAsync(new(unit, function, address, (ushort)values.Length), timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Closes the connection or port.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Sends the request and waits for its own answer, and no other's.</summary>
    private protected abstract ValueTask<ModbusOutcome> ExchangeAsync(
        RequestShape shape, ReadOnlyMemory<byte> pdu, TimeSpan timeout, CancellationToken cancel);

    private static void CheckWritable(RegisterTable table)
    {
        if (!table.IsWritable())
        {
            throw new ArgumentOutOfRangeException(nameof(table), table, "only coils and holding registers can be written");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ModbusOutcome> RunAsync(RequestShape shape, TimeSpan timeout, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        cancel.ThrowIfCancellationRequested();
        Count.Requests++;
        var outcome = await ExchangeAsync(shape, RequestPdu.AsMemory(0, _requestLength), timeout, cancel).ConfigureAwait(false);
        Count.Count(outcome.Status);
        return outcome;
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("a request is already under way: a Modbus client has one owner, which asks one thing at a time");
        }
    }

    private void Leave() => Volatile.Write(ref _busy, 0);
}
