using EdgeGateway.Control;
using EdgeGateway.Protocols.Dlt645;

namespace EdgeGateway.Scanning;

/// <summary>Asks DL/T 645 meters of one line, without ever writing. Behind it stands a client of the scan's own, or the running gateway, which asks between two polls.</summary>
internal interface IMeterProbe : IAsyncDisposable
{
    /// <summary>Asks whoever hears it for the address, and listens for the whole of <paramref name="timeout"/>.</summary>
    ValueTask<(Dlt645Outcome Outcome, IReadOnlyList<MeterAddress> Meters)> IdentifyAsync(TimeSpan timeout, CancellationToken cancel);

    /// <summary>Reads the data of one identifier.</summary>
    ValueTask<Dlt645Outcome> ReadAsync(MeterAddress meter, DataIdentifier identifier, Memory<byte> data, TimeSpan timeout, CancellationToken cancel);
}

/// <summary>Asks through a client that nobody else uses, and that is its own.</summary>
internal sealed class ClientMeterProbe(Dlt645Client client) : IMeterProbe
{
    /// <inheritdoc/>
    public ValueTask<(Dlt645Outcome Outcome, IReadOnlyList<MeterAddress> Meters)> IdentifyAsync(TimeSpan timeout, CancellationToken cancel) => client.IdentifyAsync(timeout, cancel);

    /// <inheritdoc/>
    public ValueTask<Dlt645Outcome> ReadAsync(MeterAddress meter, DataIdentifier identifier, Memory<byte> data, TimeSpan timeout, CancellationToken cancel) =>
        client.ReadAsync(meter, identifier, data, timeout, cancel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => client.DisposeAsync();
}

/// <summary>Asks through the running gateway, which owns the bus and goes on polling.</summary>
internal sealed class GatewayMeterProbe(ControlClient client, string bus) : IMeterProbe
{
    /// <inheritdoc/>
    public async ValueTask<(Dlt645Outcome Outcome, IReadOnlyList<MeterAddress> Meters)> IdentifyAsync(TimeSpan timeout, CancellationToken cancel)
    {
        var answer = await client.GetAsync(
            $"probe/{Uri.EscapeDataString(bus)}/meter-addresses?timeout={timeout.TotalMilliseconds:0}", ControlJson.Default.MeterProbeDocument, cancel).ConfigureAwait(false);
        return (answer.Outcome, [.. answer.Meters.Select(m => MeterAddress.TryParse(m, out var address) ? address : default).Where(a => a != default)]);
    }

    /// <inheritdoc/>
    public async ValueTask<Dlt645Outcome> ReadAsync(MeterAddress meter, DataIdentifier identifier, Memory<byte> data, TimeSpan timeout, CancellationToken cancel)
    {
        var answer = await client.GetAsync(
            $"probe/{Uri.EscapeDataString(bus)}/meter-read?meter={meter}&identifier={identifier}&timeout={timeout.TotalMilliseconds:0}", ControlJson.Default.MeterProbeDocument, cancel).ConfigureAwait(false);
        Convert.FromHexString(answer.Data).CopyTo(data);
        return answer.Outcome;
    }

    /// <summary>Lets go of the connection to the gateway.</summary>
    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }
}
