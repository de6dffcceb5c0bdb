using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Buses;

/// <summary>A Modbus line or connection as a bus.</summary>
public sealed class ModbusBus(ModbusClient client) : IBus
{
    private ModbusOutcome _last;

    /// <summary>The client that talks to the devices, for what only Modbus has: identification, and the bytes on the wire.</summary>
    public ModbusClient Client => client;

    /// <summary>How the last requests of each unit ended.</summary>
    public WireSymptoms Symptoms { get; } = new();

    /// <inheritdoc/>
    public int MaxInFlight => client is ModbusTcpClient tcp ? tcp.Wanted : 1;

    /// <inheritdoc/>
    public WireCounters Wire => client.Counters is var seen ? new(seen.Connects, seen.LateDiscarded, seen.Echoes, seen.Fences) : default;

    /// <inheritdoc/>
    public string LastProblem => _last.IsOk ? "" : _last.Describe();

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BusReply> ReadAsync(
        byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var outcome = await client.ReadAsync(
            unit, TableOf(request.Table), request.Address, request.Quantity, registers, timeout, cancel).ConfigureAwait(false);
        Symptoms.Count(unit, request.Quantity, outcome, client.Counters);
        return Judge(outcome) with { Queued = outcome.Queued };
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BusReply> WriteAsync(
        byte unit, Core.Profiles.RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel)
    {
        var outcome = single && words.Length == 1
            ? await client.WriteSingleAsync(unit, TableOf(table), address, words.Span[0], timeout, cancel).ConfigureAwait(false)
            : await client.WriteMultipleAsync(unit, TableOf(table), address, words, timeout, cancel).ConfigureAwait(false);
        return Judge(outcome);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => client.DisposeAsync();

    private BusReply Judge(ModbusOutcome outcome)
    {
        if (outcome.IsOk)
        {
            return BusReply.Good;
        }

        _last = outcome;
        return outcome.Status switch
        {
            ModbusStatus.Exception => new BusReply(QualityReason.DeviceException, (byte)outcome.ExceptionCode),
            ModbusStatus.Timeout => new BusReply(QualityReason.Timeout),
            ModbusStatus.NotConnected => new BusReply(QualityReason.NotConnected),
            ModbusStatus.ShortReply => new BusReply(QualityReason.ShortReply),
            ModbusStatus.WrongUnit or ModbusStatus.WrongFunction => new BusReply(QualityReason.WrongReply),
            _ => new BusReply(QualityReason.CorruptFrame),
        };
    }

    private static RegisterTable TableOf(Core.Profiles.RegisterTable table) => table switch
    {
        Core.Profiles.RegisterTable.Coil => RegisterTable.Coil,
        Core.Profiles.RegisterTable.DiscreteInput => RegisterTable.DiscreteInput,
        Core.Profiles.RegisterTable.InputRegister => RegisterTable.InputRegister,
        _ => RegisterTable.HoldingRegister,
    };
}
