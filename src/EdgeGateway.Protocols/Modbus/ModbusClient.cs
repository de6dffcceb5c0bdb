using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Asks Modbus devices over one connection or line.</summary>
/// <remarks>
/// A client has one owner: more requests at once than <see cref="Capacity"/> is a mistake of the program and throws. What devices,
/// cables and networks do wrong comes back as a <see cref="ModbusOutcome"/>. A request that is answered allocates nothing.
/// </remarks>
public abstract partial class ModbusClient : IAsyncDisposable
{
    private readonly Stack<ModbusExchange> _free;
    private int _made;
    private ModbusCounters _counters;

    private protected ModbusClient(TimeProvider time, int capacity = 1)
    {
        ArgumentNullException.ThrowIfNull(time);
        Time = time;
        Capacity = capacity;
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _free = new(capacity);
    }

    /// <summary>How many requests the owner may have under way at once.</summary>
    public int Capacity { get; }

    /// <summary>Sees every byte that goes out and comes in; null when nobody watches. May be set at any time.</summary>
    public IModbusTap? Tap { get; set; }

    /// <summary>What this client has seen so far.</summary>
    public ModbusCounters Counters => _counters;

    private protected TimeProvider Time { get; }

    private protected ref ModbusCounters Count => ref _counters;

    /// <summary>Reads one table.</summary>
    /// <param name="unit">The unit id, 0 to 255 on TCP, 1 to 255 on a serial line.</param>
    /// <param name="table">Which table.</param>
    /// <param name="address">The first register or bit, counted from 0 as on the wire.</param>
    /// <param name="quantity">How many; at most 2000 bits or 125 registers.</param>
    /// <param name="destination">Receives the registers, or bits as words that are 0 or 1; left alone unless the outcome is Ok.</param>
    /// <param name="timeout">Time for the device to answer, connecting included; time on a serial wire is added by the client.</param>
    /// <param name="cancel">Abandons the request with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">The request cannot be, whatever the device: quantity, range or a destination too small.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
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

        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, (ModbusFunction)table, address, (ushort)quantity),
                table.IsBits()
                    ? ReadBits.WriteRequest(exchange.Request, table, address, quantity)
                    : ReadRegisters.WriteRequest(exchange.Request, table, address, quantity));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            if (!outcome.IsOk)
            {
                return outcome;
            }

            var values = destination.Span[..quantity];
            var read = table.IsBits()
                ? ReadBits.ReadResponse(exchange.ReplyPdu, table, values)
                : ReadRegisters.ReadResponse(exchange.ReplyPdu, table, values);
            return read with { Queued = outcome.Queued };
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Writes one coil (0 is off, anything else on) or one holding register, by function 05 or 06.</summary>
    /// <exception cref="ArgumentException">The table cannot be written.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> WriteSingleAsync(
        byte unit, RegisterTable table, ushort address, ushort value, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckWritable(table);
        var exchange = Rent();
        try
        {
            if (table == RegisterTable.Coil)
            {
                exchange.Ask(
                    new(unit, ModbusFunction.WriteSingleCoil, address, value != 0 ? (ushort)0xFF00 : (ushort)0),
                    WriteSingleCoil.WriteRequest(exchange.Request, address, value != 0));
            }
            else
            {
                exchange.Ask(
                    new(unit, ModbusFunction.WriteSingleRegister, address, value),
                    WriteSingleRegister.WriteRequest(exchange.Request, address, value));
            }

            return await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Writes several coils or holding registers at once, by function 15 or 16.</summary>
    /// <exception cref="ArgumentException">The table cannot be written, or there are too few or too many values.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> WriteMultipleAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> values, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckWritable(table);
        var exchange = Rent();
        try
        {
            if (table == RegisterTable.Coil)
            {
                exchange.Ask(
                    new(unit, ModbusFunction.WriteMultipleCoils, address, (ushort)values.Length),
                    WriteMultipleCoils.WriteRequest(exchange.Request, address, values.Span));
            }
            else
            {
                exchange.Ask(
                    new(unit, ModbusFunction.WriteMultipleRegisters, address, (ushort)values.Length),
                    WriteMultipleRegisters.WriteRequest(exchange.Request, address, values.Span));
            }

            return await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Closes the connection or port.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Sends the request and waits for its own answer, and no other's; the answer goes into the exchange.</summary>
    private protected abstract ValueTask<ModbusOutcome> ExchangeAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel);

    private static void CheckWritable(RegisterTable table)
    {
        if (!table.IsWritable())
        {
            throw new ArgumentOutOfRangeException(nameof(table), table, "only coils and holding registers can be written");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ModbusOutcome> RunAsync(ModbusExchange exchange, TimeSpan timeout, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        cancel.ThrowIfCancellationRequested();
        lock (_free)
        {
            Count.Requests++;
        }

        var outcome = await ExchangeAsync(exchange, timeout, cancel).ConfigureAwait(false);
        lock (_free)
        {
            Count.Count(outcome.Status);
        }

        return outcome;
    }

    private ModbusExchange Rent()
    {
        lock (_free)
        {
            if (_free.TryPop(out var exchange))
            {
                return exchange;
            }

            if (_made == Capacity)
            {
                throw new InvalidOperationException($"{Capacity} requests are already under way: a Modbus client has one owner, which keeps to its capacity");
            }

            _made++;
            return new ModbusExchange();
        }
    }

    private void Return(ModbusExchange exchange)
    {
        lock (_free)
        {
            _free.Push(exchange);
        }
    }
}
