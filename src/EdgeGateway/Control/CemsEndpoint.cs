using System.Text.Json;
using EdgeGateway.Core.Cems;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary>A calibration check that a person has made: <c>POST /cems/calibration</c>, and its answer. Who enters it is known from the socket.</summary>
public sealed record CalibrationDocument
{
    /// <summary>Id of the device whose stack it is.</summary>
    public required string Device { get; init; }

    /// <summary>The gas.</summary>
    public required string Gas { get; init; }

    /// <summary><c>zero</c> or <c>span</c>.</summary>
    public required string Level { get; init; }

    /// <summary>Value of the calibration gas, in the unit of the gas.</summary>
    public required decimal Reference { get; init; }

    /// <summary>What the analyser read.</summary>
    public required decimal Measured { get; init; }
}

/// <summary>A linearity check or a RATA that a person has made: <c>POST /cems/audit</c>, and its answer.</summary>
public sealed record AuditDocument
{
    /// <summary>Id of the device whose stack it is.</summary>
    public required string Device { get; init; }

    /// <summary>A gas, <c>flow</c> or <c>moisture</c>.</summary>
    public required string Quantity { get; init; }

    /// <summary><c>linearity</c> or <c>rata</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The runs or injections.</summary>
    public required IReadOnlyList<AuditRun> Runs { get; init; }
}

/// <summary>A run of a RATA, or an injection of a linearity check.</summary>
public sealed record AuditRun
{
    /// <summary>What the system read.</summary>
    public required decimal Reading { get; init; }

    /// <summary>What the reference method found, or the value of the gas, in the same unit.</summary>
    public required decimal Reference { get; init; }

    /// <summary>True for a run that is discarded.</summary>
    public bool Discarded { get; init; }
}

/// <summary><c>POST /cems/calibration</c>, <c>POST /cems/audit</c>: what people do at the stack.</summary>
internal static class CemsEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway)
    {
        endpoints.MapPost("/cems/calibration", context => ControlServer.OverSocket(context, () => EnterAsync(context, gateway)));
        endpoints.MapPost("/cems/audit", context => ControlServer.OverSocket(context, () => AuditAsync(context, gateway)));
    }

    private static async Task AuditAsync(HttpContext context, GatewayRuntime gateway)
    {
        AuditDocument? test = null;
        try
        {
            test = await JsonSerializer.DeserializeAsync(context.Request.Body, ControlJson.Default.AuditDocument, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // Answered below, like nothing.
        }

        if (test is not { Device: not null, Quantity: not null, Kind: not null, Runs: not null } || test.Runs.Any(r => r is null))
        {
            await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, "Write { device, quantity, kind, runs: [{ reading, reference, discarded }] }. Kinds: linearity, rata.").ConfigureAwait(false);
            return;
        }

        try
        {
            var order = new AuditOrder(test.Device, test.Quantity, test.Kind, [.. test.Runs.Select(r => new RataRun(r.Reading, r.Reference, !r.Discarded))], SocketPeer.Describe(context));
            if (await gateway.EnterAsync(order).ConfigureAwait(false) is { } refusal)
            {
                await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, refusal).ConfigureAwait(false);
                return;
            }
        }
        catch (StoreException e)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
            return;
        }

        await context.Response.WriteAsJsonAsync(test, ControlJson.Default.AuditDocument).ConfigureAwait(false);
    }

    private static async Task EnterAsync(HttpContext context, GatewayRuntime gateway)
    {
        CalibrationDocument? check = null;
        try
        {
            check = await JsonSerializer.DeserializeAsync(context.Request.Body, ControlJson.Default.CalibrationDocument, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // Answered below, like nothing.
        }

        if (check is not { Device: not null, Gas: not null, Level: not null })
        {
            await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, "Write { device, gas, level, reference, measured }. Levels: zero, span.").ConfigureAwait(false);
            return;
        }

        try
        {
            var order = new CalibrationOrder(check.Device, check.Gas, check.Level, check.Reference, check.Measured, SocketPeer.Describe(context));
            if (await gateway.EnterAsync(order).ConfigureAwait(false) is { } refusal)
            {
                await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, refusal).ConfigureAwait(false);
                return;
            }
        }
        catch (StoreException e)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
            return;
        }

        await context.Response.WriteAsJsonAsync(check, ControlJson.Default.CalibrationDocument).ConfigureAwait(false);
    }
}
