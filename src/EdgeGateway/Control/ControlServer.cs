using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeGateway.Core.Writing;
using EdgeGateway.Hosting;
using EdgeGateway.Telemetry;
using EdgeGateway.Writing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Control;

/// <summary>
/// Serves operator commands on a Unix socket in the data directory (mode 0600: the file system decides who may command) and, where
/// configured, the health document and metrics on loopback. See <c>docs/decisions/0005</c>.
/// </summary>
public static class ControlServer
{
    /// <summary>Name of the socket in the data directory.</summary>
    public const string SocketName = "edgegateway.sock";

    /// <summary>Builds and starts the server.</summary>
    /// <param name="gateway">Whom it serves.</param>
    /// <param name="directory">Where the socket is made.</param>
    /// <param name="healthListen">Loopback address and port of the health endpoint, or null.</param>
    /// <param name="cancel">Gives up starting.</param>
    /// <param name="reload">Has another configuration taken over; null where that is not possible.</param>
    /// <exception cref="IOException">The health address is in use.</exception>
    public static async Task<WebApplication> StartAsync(GatewayRuntime gateway, string directory, string? healthListen, CancellationToken cancel, Func<ReloadDocument>? reload = null)
    {
        var socket = PathIn(directory);
        File.Delete(socket);
        var app = await StartAsync(new UnixDomainSocketEndPoint(socket), healthListen, endpoints => Map(endpoints, gateway, reload), cancel).ConfigureAwait(false);
        Protect(socket);
        return app;
    }

    /// <summary>
    /// Serves a gateway that has no store: its status and the wish to reload; every other command is refused in words. Where the data directory takes no socket, it listens
    /// under <see cref="NameWithoutDirectory"/>.
    /// </summary>
    /// <param name="measure">What is wrong, and what metrics are read from.</param>
    /// <param name="directory">Where the socket is made when that is possible.</param>
    /// <param name="healthListen">Loopback address and port of the health endpoint, or null.</param>
    /// <param name="reload">Has another configuration taken over.</param>
    /// <param name="cancel">Gives up starting.</param>
    /// <exception cref="IOException">The health address is in use.</exception>
    internal static async Task<WebApplication> StartStorelessAsync(
        Func<Measurement> measure, string directory, string? healthListen, Func<ReloadDocument> reload, CancellationToken cancel)
    {
        var socket = PathIn(directory);
        try
        {
            File.Delete(socket);
            var app = await StartAsync(new UnixDomainSocketEndPoint(socket), healthListen, Storeless, cancel).ConfigureAwait(false);
            Protect(socket);
            return app;
        }
        catch (Exception e) when (OperatingSystem.IsLinux() && e is IOException or UnauthorizedAccessException or SocketException)
        {
            // A health address in use is met again here.
            return await StartAsync(NameWithoutDirectory(directory), healthListen, Storeless, cancel).ConfigureAwait(false);
        }

        void Storeless(IEndpointRouteBuilder endpoints) => MapStoreless(endpoints, measure, reload);
    }

    /// <summary>The socket of the gateway whose store is in <paramref name="directory"/>.</summary>
    internal static string PathIn(string directory) => Path.GetFullPath(Path.Combine(directory, SocketName));

    /// <summary>
    /// Where a gateway listens whose data directory takes no socket, say, on a disk that can only be read: in Linux' abstract name space (unix(7)). It has no files and so no file
    /// mode; each end looks who the other is (<see cref="SocketPeer"/>).
    /// </summary>
    internal static UnixDomainSocketEndPoint NameWithoutDirectory(string directory) =>
        new("\0edgegateway-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(PathIn(directory))))[..32]);

    private static async Task<WebApplication> StartAsync(UnixDomainSocketEndPoint socket, string? healthListen, Action<IEndpointRouteBuilder> map, CancellationToken cancel)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            kestrel.Listen(socket);
            if (healthListen is not null)
            {
                kestrel.Listen(System.Net.IPEndPoint.Parse(healthListen));
            }
        });
        var app = builder.Build();
        try
        {
            map(app);
            await app.StartAsync(cancel).ConfigureAwait(false);
            return app;
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static void Protect(string socket)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private static void MapHealth(IEndpointRouteBuilder endpoints, Func<StatusDocument> of) => endpoints.Map("/health", async context =>
    {
        var status = of();
        context.Response.StatusCode = status.State == "ok" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsJsonAsync(status, ControlJson.Default.StatusDocument).ConfigureAwait(false);
    });

    private static void MapMetrics(IEndpointRouteBuilder endpoints, Func<Measurement> of) => endpoints.Map("/metrics", context =>
    {
        context.Response.ContentType = PrometheusText.MediaType;
        return context.Response.WriteAsync(PrometheusText.Write(Metrics.All, of()));
    });

    // Everything but the health document and the metrics is for operators: only over the socket, whose file mode is the permission.
    private static void MapStatus(IEndpointRouteBuilder endpoints, Func<StatusDocument> of, Func<ReloadDocument>? reload)
    {
        MapHealth(endpoints, of);
        endpoints.Map("/status", context => OverSocket(context, () =>
            context.Response.WriteAsJsonAsync(of(), ControlJson.Default.StatusDocument)));
        endpoints.Map("/outbox", context => OverSocket(context, () =>
            context.Response.WriteAsJsonAsync(of().Outbox, ControlJson.Default.OutboxDocument)));
        if (reload is not null)
        {
            endpoints.MapPost("/reload", context => OverSocket(context, () =>
                context.Response.WriteAsJsonAsync(reload(), ControlJson.Default.ReloadDocument)));
        }
    }

    private static void MapStoreless(IEndpointRouteBuilder endpoints, Func<Measurement> measure, Func<ReloadDocument> reload)
    {
        MapStatus(endpoints, () => measure().Status, reload);
        MapMetrics(endpoints, measure);
        endpoints.Map("/{**command}", context => OverSocket(context, () =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsJsonAsync(
                new ErrorDocument($"The gateway runs without its store, could record no command, and obeys none. {measure().Status.Problems[0]}"), ControlJson.Default.ErrorDocument);
        }));
    }

    private static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway, Func<ReloadDocument>? reload)
    {
        MapStatus(endpoints, gateway.Status, reload);
        MapMetrics(endpoints, gateway.Measure);
        endpoints.Map("/writes", context => OverSocket(context, () =>
            context.Response.WriteAsJsonAsync(gateway.Writes(), ControlJson.Default.WritesDocument)));
        endpoints.MapPost("/write/check", context => OverSocket(context, async () =>
        {
            if (await OrderAsync(context).ConfigureAwait(false) is { } order)
            {
                var (check, refusal) = await gateway.CheckWriteAsync(order).ConfigureAwait(false);
                await AnswerAsync(context, check, refusal, ControlJson.Default.WriteCheckDocument).ConfigureAwait(false);
            }
        }));
        endpoints.MapPost("/write", context => OverSocket(context, async () =>
        {
            if (await OrderAsync(context).ConfigureAwait(false) is { } order)
            {
                var (write, refusal) = await gateway.WriteAsync(order).ConfigureAwait(false);
                await AnswerAsync(context, write, refusal, ControlJson.Default.WriteDocument).ConfigureAwait(false);
            }
        }));
        endpoints.Map("/read/{device}", context => OverSocket(context, async () =>
        {
            var id = (string)context.Request.RouteValues["device"]!;
            var device = gateway.Site.Devices.FirstOrDefault(d => d.Id == id);
            if (device is null)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                await context.Response.WriteAsJsonAsync(
                    new ErrorDocument($"There is no device '{id}'. Devices: {string.Join(", ", gateway.Site.Devices.Select(d => d.Id))}."),
                    ControlJson.Default.ErrorDocument).ConfigureAwait(false);
                return;
            }

            var readings = await gateway.ReadNowAsync(device, context.RequestAborted).ConfigureAwait(false);
            await context.Response.WriteAsJsonAsync(
                ReadingDocuments.Make(gateway.Site, device, readings), ControlJson.Default.DeviceReadingDocument).ConfigureAwait(false);
        }));
        AlarmsEndpoint.Map(endpoints, gateway);
        AccountsEndpoint.Map(endpoints, gateway);
        CemsEndpoint.Map(endpoints, gateway);
        TraceEndpoint.Map(endpoints, gateway);
        ProbeEndpoint.Map(endpoints, gateway);
        FollowEndpoint.Map(endpoints, gateway);
        BackupEndpoint.Map(endpoints, gateway);
    }

    private static async Task<WriteRequest?> OrderAsync(HttpContext context)
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, ControlJson.Default.WriteOrderDocument, context.RequestAborted).ConfigureAwait(false) is
                { Device: not null, Point: not null, Value: not null } order)
            {
                TimeSpan? hold = order.ForSeconds is not { } seconds ? null
                    : seconds is >= 0 and <= 1e9 ? TimeSpan.FromSeconds(seconds)
                    : throw new JsonException("forSeconds is not possible");
                return new WriteRequest(order.Device, order.Point, order.Value, hold, order.Reason ?? "", SocketPeer.Describe(context));
            }
        }
        catch (JsonException)
        {
            // Answered below, like an order without a value.
        }

        await AnswerAsync<WriteDocument>(
            context, null, new WriteRefusal("Write { device, point, value } with forSeconds and reason where wanted; value is a text.", ByRule: true), ControlJson.Default.WriteDocument).ConfigureAwait(false);
        return null;
    }

    private static Task AnswerAsync<T>(HttpContext context, T? document, WriteRefusal? refusal, JsonTypeInfo<T> type)
        where T : class
    {
        if (document is not null)
        {
            return context.Response.WriteAsJsonAsync(document, type);
        }

        context.Response.StatusCode = refusal!.ByRule ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsJsonAsync(new ErrorDocument(refusal.Text), ControlJson.Default.ErrorDocument);
    }

    internal static Task OverSocket(HttpContext context, Func<Task> serve)
    {
        // Kestrel gives connections over a Unix socket no IP address.
        if (context.Connection.RemoteIpAddress is not null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        // A socket without a file has no mode: every user of the computer reaches it.
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint own
            && own.ToString().StartsWith('@') && !SocketPeer.IsOwnOrRoot(SocketPeer.Uid(context)))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsJsonAsync(new ErrorDocument("Run the command as the gateway's user or as root."), ControlJson.Default.ErrorDocument);
        }

        return serve();
    }
}
