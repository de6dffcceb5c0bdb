using System.Globalization;
using EdgeGateway.Buses;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary>
/// <c>/probe/{bus}/read</c>, <c>/identification</c> and <c>/server-id</c>: one question to any unit of a Modbus bus; <c>/meter-addresses</c> and <c>/meter-read</c>: one to DL/T 645
/// meters. Asked by the owner between two polls. Reads only: there is no way to write through it.
/// </summary>
internal static class ProbeEndpoint
{
    // A question holds up the polls for as long as it may take.
    public const int LongestTimeout = 2000;

    private const int LongestData = 1024;

    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway)
    {
        endpoints.Map("/probe/{bus}/read", context => ControlServer.OverSocket(context, () => ReadAsync(context, gateway)));
        endpoints.Map("/probe/{bus}/identification", context => ControlServer.OverSocket(context, () =>
            AskAsync(context, gateway, DeviceNames.IdentificationAsync, ControlJson.Default.DeviceNames)));
        endpoints.Map("/probe/{bus}/server-id", context => ControlServer.OverSocket(context, () =>
            AskAsync(context, gateway, DeviceNames.ServerIdAsync, ControlJson.Default.DeviceNames)));
        endpoints.Map("/probe/{bus}/meter-addresses", context => ControlServer.OverSocket(context, () => AskMetersAsync(context, gateway, static async (client, timeout, stop) =>
        {
            var (outcome, meters) = await client.IdentifyAsync(timeout, stop).ConfigureAwait(false);
            return MeterProbeDocument.Of(outcome, []) with { Meters = [.. meters.Select(m => m.ToString())] };
        })));
        endpoints.Map("/probe/{bus}/meter-read", context => ControlServer.OverSocket(context, () => ReadMeterAsync(context, gateway)));
    }

    private static async Task ReadMeterAsync(HttpContext context, GatewayRuntime gateway)
    {
        if (!MeterAddress.TryParse(context.Request.Query["meter"], out var meter) || !DataIdentifier.TryParse(context.Request.Query["identifier"], out var identifier))
        {
            await Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, "Ask with the twelve digits of a meter and the eight hexadecimal digits of an identifier.").ConfigureAwait(false);
            return;
        }

        await AskMetersAsync(context, gateway, async (client, timeout, stop) =>
        {
            var data = new byte[LongestData];
            var outcome = await client.ReadAsync(meter, identifier, data, timeout, stop).ConfigureAwait(false);
            return MeterProbeDocument.Of(outcome, data);
        }).ConfigureAwait(false);
    }

    private static async Task AskMetersAsync(HttpContext context, GatewayRuntime gateway, Func<Dlt645Client, TimeSpan, CancellationToken, ValueTask<MeterProbeDocument>> ask)
    {
        var id = (string)context.Request.RouteValues["bus"]!;
        if (gateway.PollerOf(id) is not { } poller)
        {
            await RefuseUnknownAsync(context, gateway, id).ConfigureAwait(false);
            return;
        }

        var timeout = Number(context, "timeout");
        if (timeout is < 1 or > LongestTimeout)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, $"Ask with a timeout of 1 to {LongestTimeout} ms.").ConfigureAwait(false);
            return;
        }

        var answer = await poller.UseBusAsync(
            async (bus, stop) => bus is MeterBus meters ? await ask(meters.Client, TimeSpan.FromMilliseconds(timeout), stop).ConfigureAwait(false) : null,
            TimeSpan.FromMilliseconds(timeout),
            context.RequestAborted).ConfigureAwait(false);
        await (answer is null
            ? Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, $"The bus '{id}' has no DL/T 645 meters.")
            : context.Response.WriteAsJsonAsync(answer, ControlJson.Default.MeterProbeDocument)).ConfigureAwait(false);
    }

    private static Task RefuseUnknownAsync(HttpContext context, GatewayRuntime gateway, string id) =>
        Replies.RefuseAsync(context, StatusCodes.Status404NotFound, $"There is no bus '{id}'. Buses: {string.Join(", ", gateway.Site.Buses.Select(b => b.Id))}.");

    private static async Task ReadAsync(HttpContext context, GatewayRuntime gateway)
    {
        var (function, address, quantity) = (Number(context, "function"), Number(context, "address"), Number(context, "quantity"));
        var isWhole = function is >= 1 and <= 4 && address is >= 0 and <= 0xFFFF && quantity > 0 && quantity <= ((RegisterTable)function).MaxReadQuantity() && address + quantity <= 0x10000;
        if (!isWhole)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, "Ask with function 1 to 4, an address of 0 to 65535 and a quantity that function and table allow.").ConfigureAwait(false);
            return;
        }

        await AskAsync(context, gateway, async (client, unit, timeout, stop) =>
        {
            var words = new ushort[quantity];
            var outcome = await client.ReadAsync(unit, (RegisterTable)function, (ushort)address, quantity, words, timeout, stop).ConfigureAwait(false);
            return new ProbeDocument((int)outcome.Status, (int)outcome.ExceptionCode, outcome.Detail, outcome.IsOk ? words : []);
        }, ControlJson.Default.ProbeDocument).ConfigureAwait(false);
    }

    private static async Task AskAsync<T>(
        HttpContext context,
        GatewayRuntime gateway,
        Func<ModbusClient, byte, TimeSpan, CancellationToken, ValueTask<T>> ask,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        var id = (string)context.Request.RouteValues["bus"]!;
        if (gateway.PollerOf(id) is not { } poller)
        {
            await RefuseUnknownAsync(context, gateway, id).ConfigureAwait(false);
            return;
        }

        var (unit, timeout) = (Number(context, "unit"), Number(context, "timeout"));
        if (unit is < 0 or > 255 || timeout is < 1 or > LongestTimeout || (unit == 0 && Tracing.WireFormats.IsLine(poller.Model)))
        {
            await Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, $"Ask a unit of 0 to 255 (1 to 255 on a line) with a timeout of 1 to {LongestTimeout} ms.").ConfigureAwait(false);
            return;
        }

        // Devices that need a pause between two requests get it before and after this one too.
        var pause = gateway.Site.Devices.FirstOrDefault(d => d.BusId == id && d.Unit == unit)?.Profile.MinGap ?? TimeSpan.Zero;
        var answer = await poller.UseBusAsync(
            async (bus, stop) =>
            {
                await Task.Delay(pause, gateway.Time, stop).ConfigureAwait(false);
                var result = bus is ModbusBus modbus
                    ? await ask(modbus.Client, (byte)unit, TimeSpan.FromMilliseconds(timeout), stop).ConfigureAwait(false)
                    : null;
                await Task.Delay(pause, gateway.Time, stop).ConfigureAwait(false);
                return result;
            },
            TimeSpan.FromMilliseconds(timeout) + (2 * pause),
            context.RequestAborted).ConfigureAwait(false);
        await (answer is null
            ? Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, $"The bus '{id}' does not speak Modbus.")
            : context.Response.WriteAsJsonAsync(answer, type)).ConfigureAwait(false);
    }

    private static int Number(HttpContext context, string key) =>
        int.TryParse(context.Request.Query[key], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}

/// <summary>The answer to one question of a scan.</summary>
/// <param name="Status">How it ended: the number of a <see cref="ModbusStatus"/>.</param>
/// <param name="Exception">The exception code of a refusal, else 0.</param>
/// <param name="Detail">More words, or null.</param>
/// <param name="Words">Registers, or bits as 0 and 1; empty unless it was answered.</param>
public sealed record ProbeDocument(int Status, int Exception, string? Detail, ushort[] Words);

/// <summary>The answer of DL/T 645 meters to one question of a scan.</summary>
/// <param name="Status">How it ended: the number of a <see cref="Dlt645Status"/>.</param>
/// <param name="Length">Bytes of data.</param>
/// <param name="Refusals">Why the meter refused: the number of <see cref="Dlt645Refusals"/>.</param>
/// <param name="Detail">More words, or null.</param>
/// <param name="Data">The data in hexadecimal; empty unless it was answered.</param>
/// <param name="Meters">Addresses that were understood, when they were asked for.</param>
public sealed record MeterProbeDocument(int Status, int Length, int Refusals, string? Detail, string Data, IReadOnlyList<string> Meters)
{
    /// <summary>The same as an outcome.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Dlt645Outcome Outcome => new((Dlt645Status)Status, Length, (Dlt645Refusals)Refusals, Detail);

    internal static MeterProbeDocument Of(Dlt645Outcome outcome, ReadOnlySpan<byte> data) =>
        new((int)outcome.Status, outcome.Length, (int)outcome.Refusals, outcome.Detail, outcome.IsOk && !data.IsEmpty ? Convert.ToHexString(data[..outcome.Length]) : "", []);
}
