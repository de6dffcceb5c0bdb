using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Modbus;

/// <content>The functions beyond the plain reads and writes of the four tables.</content>
public abstract partial class ModbusClient
{
    // Extended identification has at most 256 objects; a device that hands out one at a time and more often than this goes in circles.
    private const int MostIdentificationRequests = 64;
    private const byte FirstRegularObject = 3;
    private const byte LastRegularObject = 6;
    private const byte LevelMask = 0x7F;

    /// <summary>Changes single bits of a holding register by function 22: new = (old AND and-mask) OR (or-mask AND NOT and-mask).</summary>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> MaskWriteAsync(
        byte unit, ushort address, ushort andMask, ushort orMask, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, ModbusFunction.MaskWriteRegister, address, andMask, orMask),
                MaskWriteRegister.WriteRequest(exchange.Request, address, andMask, orMask));
            return await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Writes holding registers, then reads some, by function 23.</summary>
    /// <param name="unit">The unit id.</param>
    /// <param name="readAddress">The first register to read.</param>
    /// <param name="quantity">How many to read; at most 125.</param>
    /// <param name="destination">Receives them; left alone unless the outcome is Ok.</param>
    /// <param name="writeAddress">The first register to write.</param>
    /// <param name="values">What to write; at most 121 registers.</param>
    /// <param name="timeout">Time for the device to answer.</param>
    /// <param name="cancel">Abandons the request.</param>
    /// <exception cref="ArgumentException">The request cannot be, whatever the device: quantity, range or a destination too small.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> ReadWriteAsync(
        byte unit,
        ushort readAddress,
        int quantity,
        Memory<ushort> destination,
        ushort writeAddress,
        ReadOnlyMemory<ushort> values,
        TimeSpan timeout,
        CancellationToken cancel = default)
    {
        CheckRoom(destination, quantity);
        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, ModbusFunction.ReadWriteMultipleRegisters, readAddress, (ushort)quantity),
                ReadWriteMultipleRegisters.WriteRequest(exchange.Request, readAddress, quantity, writeAddress, values.Span));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? ReadWriteMultipleRegisters.ReadResponse(exchange.ReplyPdu, destination.Span[..quantity]) : outcome;
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Reads records of a file, such as a device's log, by function 20.</summary>
    /// <param name="unit">The unit id.</param>
    /// <param name="file">The file, from 1.</param>
    /// <param name="record">The first record, 0 to 9999.</param>
    /// <param name="quantity">How many; at most 121.</param>
    /// <param name="destination">Receives one register for each record; left alone unless the outcome is Ok.</param>
    /// <param name="timeout">Time for the device to answer.</param>
    /// <param name="cancel">Abandons the request.</param>
    /// <exception cref="ArgumentException">The request cannot be, whatever the device: place, quantity or a destination too small.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> ReadFileRecordAsync(
        byte unit, ushort file, ushort record, int quantity, Memory<ushort> destination, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckRoom(destination, quantity);
        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, ModbusFunction.ReadFileRecord, record, (ushort)quantity, file),
                ReadFileRecord.WriteRequest(exchange.Request, file, record, quantity));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? ReadFileRecord.ReadResponse(exchange.ReplyPdu, destination.Span[..quantity]) : outcome;
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Writes records of a file by function 21; at most 122.</summary>
    /// <exception cref="ArgumentException">The request cannot be, whatever the device: place or quantity.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ModbusOutcome> WriteFileRecordAsync(
        byte unit, ushort file, ushort record, ReadOnlyMemory<ushort> values, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, ModbusFunction.WriteFileRecord, record, (ushort)values.Length, file),
                WriteFileRecord.WriteRequest(exchange.Request, file, record, values.Span));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);

            // The answer repeats the request to the last byte, unless it is a broadcast, which has none.
            return outcome.IsOk && !exchange.ReplyPdu.IsEmpty && !exchange.ReplyPdu.SequenceEqual(exchange.RequestPdu.Span)
                ? new(ModbusStatus.Malformed)
                : outcome;
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Reads a queue of registers by function 24, without emptying it.</summary>
    /// <param name="unit">The unit id.</param>
    /// <param name="pointer">The address of the register that counts the queue.</param>
    /// <param name="destination">Receives up to 31 registers.</param>
    /// <param name="timeout">Time for the device to answer.</param>
    /// <param name="cancel">Abandons the request.</param>
    /// <returns>The outcome, and how many registers came.</returns>
    /// <exception cref="ArgumentException">The destination holds fewer than 31 registers.</exception>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, int Count)> ReadFifoQueueAsync(
        byte unit, ushort pointer, Memory<ushort> destination, TimeSpan timeout, CancellationToken cancel = default)
    {
        CheckRoom(destination, ReadFifoQueue.MaxCount);
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.ReadFifoQueue, pointer, 0), ReadFifoQueue.WriteRequest(exchange.Request, pointer));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (ReadFifoQueue.ReadResponse(exchange.ReplyPdu, destination.Span, out var count), count) : (outcome, 0);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Reads the eight exception status bits by function 07; what they mean is in the device's manual.</summary>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, byte Status)> ReadExceptionStatusAsync(byte unit, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.ReadExceptionStatus, 0, 0), ReadExceptionStatus.WriteRequest(exchange.Request));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (ReadExceptionStatus.ReadResponse(exchange.ReplyPdu, out var status), status) : (outcome, (byte)0);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Tests the line, or reads or clears a counter of the device, by function 08.</summary>
    /// <param name="unit">The unit id.</param>
    /// <param name="function">What to do.</param>
    /// <param name="data">What goes with it: any word for <see cref="DiagnosticFunction.ReturnQueryData"/>, mostly 0 otherwise.</param>
    /// <param name="timeout">Time for the device to answer.</param>
    /// <param name="cancel">Abandons the request.</param>
    /// <returns>
    /// The outcome, and the word that the device answered. <see cref="DiagnosticFunction.ForceListenOnlyMode"/> has no answer by the standard, so that
    /// silence until the timeout is Ok; whether the device heard it cannot be told.
    /// </returns>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, ushort Data)> DiagnosticsAsync(
        byte unit, DiagnosticFunction function, ushort data, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.Diagnostics, (ushort)function, data), Diagnostics.WriteRequest(exchange.Request, function, data));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            if (outcome.Status == ModbusStatus.Timeout && function == DiagnosticFunction.ForceListenOnlyMode)
            {
                return (ModbusOutcome.Ok, 0);
            }

            return outcome.IsOk ? (Diagnostics.ReadResponse(exchange.ReplyPdu, function, data, out var answered), answered) : (outcome, (ushort)0);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Reads the counter of completed messages by function 11.</summary>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, CommEventCounter Counter)> GetCommEventCounterAsync(
        byte unit, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.GetCommEventCounter, 0, 0), GetCommEventCounter.WriteRequest(exchange.Request));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (GetCommEventCounter.ReadResponse(exchange.ReplyPdu, out var counter), counter) : (outcome, default);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Reads the log of events on the device's line by function 12.</summary>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, CommEventLog? Log)> GetCommEventLogAsync(byte unit, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.GetCommEventLog, 0, 0), GetCommEventLog.WriteRequest(exchange.Request));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (GetCommEventLog.ReadResponse(exchange.ReplyPdu, out var log), log) : (outcome, null);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Asks a device what it is by function 17. Devices answer it as they like; see <see cref="ServerId"/>.</summary>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, ServerId? Id)> ReportServerIdAsync(byte unit, TimeSpan timeout, CancellationToken cancel = default)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(new(unit, ModbusFunction.ReportServerId, 0, 0), ReportServerId.WriteRequest(exchange.Request));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (ReportServerId.ReadResponse(exchange.ReplyPdu, out var id), id) : (outcome, null);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>Asks a device for all of its identification by function 43/14, in as many requests as it takes, at most 64.</summary>
    /// <param name="unit">The unit id.</param>
    /// <param name="timeout">Time for the device to answer each request.</param>
    /// <param name="cancel">Abandons the request.</param>
    /// <returns>
    /// The outcome of the first request. When that is Ok there is an identification; what the device broke off or refused later is missing in
    /// it, and <see cref="DeviceIdentification.IsComplete"/> is false.
    /// </returns>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, DeviceIdentification? Identification)> ReadDeviceIdentificationAsync(
        byte unit, TimeSpan timeout, CancellationToken cancel = default)
    {
        IdentificationReading reading = new();
        var basic = await ReadStreamAsync(unit, IdentificationAccess.Basic, reading, timeout, cancel).ConfigureAwait(false);
        if (!basic.IsOk)
        {
            return (basic, null);
        }

        var level = reading.ConformityLevel & LevelMask;
        if (level >= (int)IdentificationAccess.Extended)
        {
            _ = await ReadStreamAsync(unit, IdentificationAccess.Extended, reading, timeout, cancel).ConfigureAwait(false);
        }

        // Most devices answer the lower levels too when asked for the highest.
        if (level >= (int)IdentificationAccess.Regular && !reading.Objects.Keys.Any(id => id is >= FirstRegularObject and <= LastRegularObject))
        {
            _ = await ReadStreamAsync(unit, IdentificationAccess.Regular, reading, timeout, cancel).ConfigureAwait(false);
        }

        return (basic, DeviceIdentification.Of(reading.Objects, reading.ConformityLevel, reading.IsComplete));
    }

    /// <summary>Asks a device for one object of its identification by function 43/14.</summary>
    /// <returns>The outcome, and the text with bytes that cannot be printed as <c>\xHH</c>.</returns>
    /// <exception cref="InvalidOperationException">More requests are under way than <see cref="Capacity"/> allows.</exception>
    public async ValueTask<(ModbusOutcome Outcome, string? Text)> ReadIdentificationObjectAsync(
        byte unit, byte objectId, TimeSpan timeout, CancellationToken cancel = default)
    {
        IdentificationReading reading = new();
        var (outcome, _) = await ReadObjectsAsync(unit, IdentificationAccess.Individual, objectId, reading, timeout, cancel).ConfigureAwait(false);
        return outcome.IsOk && reading.Objects.TryGetValue(objectId, out var text)
            ? (outcome, text)
            : (outcome.IsOk ? new(ModbusStatus.Malformed) : outcome, null);
    }

    private static void CheckRoom(Memory<ushort> destination, int quantity)
    {
        if (destination.Length < quantity)
        {
            throw new ArgumentException($"{quantity} values do not fit into {destination.Length} words", nameof(destination));
        }
    }

    /// <summary>Reads a stream of objects to its end. Not Ok only when its first request failed.</summary>
    private async ValueTask<ModbusOutcome> ReadStreamAsync(
        byte unit, IdentificationAccess access, IdentificationReading reading, TimeSpan timeout, CancellationToken cancel)
    {
        byte next = 0;
        for (var isFirst = true; ; isFirst = false)
        {
            if (reading.Requests++ == MostIdentificationRequests)
            {
                reading.IsComplete = false;
                return ModbusOutcome.Ok;
            }

            var (outcome, header) = await ReadObjectsAsync(unit, access, next, reading, timeout, cancel).ConfigureAwait(false);
            if (!outcome.IsOk)
            {
                reading.IsComplete = false;
                return isFirst ? outcome : ModbusOutcome.Ok;
            }

            if (!header.MoreFollows)
            {
                return outcome;
            }

            if (header.NextObject <= next || header.Count == 0)
            {
                // A stream that does not move on never ends.
                reading.IsComplete = false;
                return outcome;
            }

            next = header.NextObject;
        }
    }

    private async ValueTask<(ModbusOutcome Outcome, IdentificationHeader Header)> ReadObjectsAsync(
        byte unit, IdentificationAccess access, byte objectId, IdentificationReading reading, TimeSpan timeout, CancellationToken cancel)
    {
        var exchange = Rent();
        try
        {
            exchange.Ask(
                new(unit, ModbusFunction.EncapsulatedInterface, (ushort)access, 0),
                ReadDeviceIdentification.WriteRequest(exchange.Request, access, objectId));
            var outcome = await RunAsync(exchange, timeout, cancel).ConfigureAwait(false);
            return outcome.IsOk ? (reading.Take(exchange.ReplyPdu, access, out var header), header) : (outcome, default);
        }
        finally
        {
            Return(exchange);
        }
    }

    /// <summary>What has been read of an identification so far; at most 256 texts of at most 244 bytes.</summary>
    private sealed class IdentificationReading
    {
        public Dictionary<byte, string> Objects { get; } = [];

        public byte ConformityLevel { get; private set; }

        public bool IsComplete { get; set; } = true;

        public int Requests { get; set; }

        public ModbusOutcome Take(ReadOnlySpan<byte> pdu, IdentificationAccess access, out IdentificationHeader header)
        {
            var outcome = ReadDeviceIdentification.ReadResponse(pdu, access, out header, out var objects);
            ConformityLevel = outcome.IsOk ? header.ConformityLevel : ConformityLevel;
            while (ReadDeviceIdentification.TakeObject(ref objects, out var id, out var text))
            {
                Objects[id] = DeviceText.Of(text);
            }

            return outcome;
        }
    }
}
