using EdgeGateway.Control;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Scanning;

/// <summary>Asks through the running gateway, which owns the bus and goes on polling.</summary>
internal sealed class GatewayProbe(ControlClient client, string bus) : IProbe
{
    /// <inheritdoc/>
    public long LateAnswers => 0;

    /// <inheritdoc/>
    public async ValueTask<ModbusOutcome> ReadAsync(
        byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel)
    {
        var answer = await client.GetAsync(
            $"probe/{Uri.EscapeDataString(bus)}/read?unit={unit}&function={(int)table}&address={address}&quantity={quantity}&timeout={timeout.TotalMilliseconds:0}",
            ControlJson.Default.ProbeDocument,
            cancel).ConfigureAwait(false);
        answer.Words.CopyTo(words);
        return new((ModbusStatus)answer.Status, (ModbusExceptionCode)answer.Exception, answer.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DeviceNames> NamesAsync(byte unit, TimeSpan timeout, CancellationToken cancel) =>
        await AskAsync("identification", unit, timeout, cancel).ConfigureAwait(false)
            with { ServerId = (await AskAsync("server-id", unit, timeout, cancel).ConfigureAwait(false)).ServerId };

    /// <summary>Lets go of the connection to the gateway.</summary>
    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<DeviceNames> AskAsync(string what, byte unit, TimeSpan timeout, CancellationToken cancel) => client.GetAsync(
        $"probe/{Uri.EscapeDataString(bus)}/{what}?unit={unit}&timeout={timeout.TotalMilliseconds:0}", ControlJson.Default.DeviceNames, cancel);
}
