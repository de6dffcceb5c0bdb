using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Scanning;

/// <summary>Asks through a client that nobody else uses.</summary>
internal sealed class ClientProbe(ModbusClient client) : IProbe
{
    /// <inheritdoc/>
    public long LateAnswers => client.Counters.LateDiscarded;

    /// <inheritdoc/>
    public ValueTask<ModbusOutcome> ReadAsync(
        byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel) =>
        client.ReadAsync(unit, table, address, quantity, words, timeout, cancel);

    /// <inheritdoc/>
    public async ValueTask<DeviceNames> NamesAsync(byte unit, TimeSpan timeout, CancellationToken cancel) =>
        await DeviceNames.IdentificationAsync(client, unit, timeout, cancel).ConfigureAwait(false)
            with { ServerId = (await DeviceNames.ServerIdAsync(client, unit, timeout, cancel).ConfigureAwait(false)).ServerId };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => client.DisposeAsync();
}
