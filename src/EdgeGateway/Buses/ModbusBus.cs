using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Buses;

/// <summary>A Modbus line or connection as a bus.</summary>
public sealed class ModbusBus : IBus, IWatchedBus
{
    private readonly ModbusClient _client;
    private readonly SunSpecPlaces _places;
    private ModbusOutcome _last;
    private string? _problem;

    /// <summary>Makes a bus of a client, which it owns.</summary>
    public ModbusBus(ModbusClient client, TimeProvider time)
    {
        _client = client;
        _places = new SunSpecPlaces(ReadWireAsync, time);
    }

    /// <summary>The client that talks to the devices, for what only Modbus has: identification, and the bytes on the wire.</summary>
    public ModbusClient Client => _client;

    /// <summary>How the last requests of each unit ended.</summary>
    public WireSymptoms Symptoms { get; } = new();

    /// <inheritdoc/>
    public int MaxInFlight => _client is ModbusTcpClient tcp ? tcp.Wanted : 1;

    /// <inheritdoc/>
    void IWatchedBus.Watch(IModbusTap? tap) => _client.Tap = tap;

    /// <inheritdoc/>
    public WireCounters Wire => _client.Counters is var seen ? new(seen.Connects, seen.LateDiscarded, seen.Echoes, seen.Fences) : default;

    /// <inheritdoc/>
    public string LastProblem => _problem ?? (_last.IsOk ? "" : _last.Describe());

    /// <inheritdoc/>
    public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel) =>
        request.SunSpecModel == 0 ? ReadWireAsync(unit, request, registers, timeout, cancel) : ReadModelAsync(unit, request, registers, timeout, cancel);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BusReply> ReadModelAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var (reply, problem) = await _places.ReadAsync(unit, request, registers, timeout, cancel).ConfigureAwait(false);
        _problem = problem;
        return reply;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BusReply> ReadWireAsync(
        byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var outcome = await _client.ReadAsync(
            unit, TableOf(request.Table), request.Address, request.Quantity, registers, timeout, cancel).ConfigureAwait(false);
        Symptoms.Count(unit, request.Quantity, outcome, _client.Counters);
        return Judge(outcome) with { Queued = outcome.Queued };
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BusReply> WriteAsync(
        byte unit, Core.Profiles.RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel)
    {
        var outcome = single && words.Length == 1
            ? await _client.WriteSingleAsync(unit, TableOf(table), address, words.Span[0], timeout, cancel).ConfigureAwait(false)
            : await _client.WriteMultipleAsync(unit, TableOf(table), address, words, timeout, cancel).ConfigureAwait(false);
        return Judge(outcome);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    /// <summary>How an exchange ended, in the words of every bus.</summary>
    internal static BusReply ReplyOf(ModbusOutcome outcome) => outcome.Status switch
    {
        ModbusStatus.Ok => BusReply.Good,
        ModbusStatus.Exception => new BusReply(QualityReason.DeviceException, (byte)outcome.ExceptionCode),
        ModbusStatus.Timeout => new BusReply(QualityReason.Timeout),
        ModbusStatus.NotConnected => new BusReply(QualityReason.NotConnected),
        ModbusStatus.ShortReply => new BusReply(QualityReason.ShortReply),
        ModbusStatus.WrongUnit or ModbusStatus.WrongFunction => new BusReply(QualityReason.WrongReply),
        _ => new BusReply(QualityReason.CorruptFrame),
    };

    /// <summary>The table of a profile in the words of the protocol.</summary>
    internal static RegisterTable TableOf(Core.Profiles.RegisterTable table) => table switch
    {
        Core.Profiles.RegisterTable.Coil => RegisterTable.Coil,
        Core.Profiles.RegisterTable.DiscreteInput => RegisterTable.DiscreteInput,
        Core.Profiles.RegisterTable.InputRegister => RegisterTable.InputRegister,
        _ => RegisterTable.HoldingRegister,
    };

    private BusReply Judge(ModbusOutcome outcome)
    {
        if (!outcome.IsOk)
        {
            (_last, _problem) = (outcome, null);
        }

        return ReplyOf(outcome);
    }
}
