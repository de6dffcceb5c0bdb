using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway read DEVICE</c>: one device, now.</summary>
internal static class ReadCommand
{
    public static Command Create()
    {
        var device = new Argument<string>("device") { Description = "Id of the device in gateway.yaml." };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "read",
            """
            Read one device now and show every point with its value, unit, quality and raw registers.
            Asks the running gateway if there is one (it owns the bus); otherwise opens the bus itself.
            """) { device, configuration, profiles, json };
        command.SetAction(async (result, cancel) =>
        {
            var site = CommonOptions.Load(result.GetValue(configuration)!, result.GetValue(profiles));
            return site is null
                ? Terminal.BadInput
                : await RunAsync(site.Model, result.GetValue(device)!, result.GetValue(json), cancel).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(SiteModel site, string id, bool json, CancellationToken cancel)
    {
        var device = site.Devices.FirstOrDefault(d => d.Id == id);
        if (device is null)
        {
            return Terminal.Fail($"There is no device '{id}'. Devices: {string.Join(", ", site.Devices.Select(d => d.Id))}.", Terminal.BadInput);
        }

        DeviceReadingDocument document;
        string problem;
        try
        {
            (document, problem) = await ReadAsync(site, device, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or HttpRequestException)
        {
            return Terminal.Fail(e.Message);
        }

        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(document, ControlJson.Default.DeviceReadingDocument));
        }
        else
        {
            Show(site, device, document);
        }

        if (document.Points.All(p => p.Value is null && p.Text is null))
        {
            return Terminal.Fail($"{device.Id} on {BusKinds.Describe(site.Buses.First(b => b.Id == device.BusId))}, unit {device.Unit}: {(problem.Length > 0 ? problem : document.Points[0].Reason)}");
        }

        return Terminal.Success;
    }

    private static async Task<(DeviceReadingDocument Document, string Problem)> ReadAsync(SiteModel site, DeviceModel device, CancellationToken cancel)
    {
        using var client = ControlClient.TryConnect(site.Storage.Directory);
        if (client is not null)
        {
            return (await client.GetAsync($"read/{device.Id}", ControlJson.Default.DeviceReadingDocument, cancel).ConfigureAwait(false), "");
        }

        var clock = new GatewayClock(TimeProvider.System);
        var bus = BusKinds.Create(site.Buses.First(b => b.Id == device.BusId), TimeProvider.System);
        await using (bus.ConfigureAwait(false))
        {
            var readings = await DeviceReader.ReadAsync(bus, site, device, clock, cancel).ConfigureAwait(false);
            return (ReadingDocuments.Make(site, device, readings), bus.LastProblem);
        }
    }

    private static void Show(SiteModel site, DeviceModel device, DeviceReadingDocument document)
    {
        AnsiConsole.MarkupLineInterpolated($"[bold]{device.Name}[/] ({device.Id}), {document.Profile}, {BusKinds.Describe(site.Buses.First(b => b.Id == device.BusId))} unit {device.Unit}");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("point").AddColumn(new TableColumn("value").RightAligned()).AddColumns("unit", "quality", "address", "raw");
        foreach (var point in document.Points)
        {
            table.AddRow(
                Markup.Escape(point.Point),
                Value(point),
                point.Value is null && point.Text is not null ? "" : Markup.Escape(point.Unit),
                point.Quality == "good" ? "[green]good[/]" : $"[red]{Markup.Escape(point.Quality)}: {Markup.Escape(point.Reason)}[/]",
                $"0x{point.Address:X4}",
                Markup.Escape(point.Raw));
        }

        AnsiConsole.Write(table);
    }

    private static string Value(PointReadingDocument point) => (point.Value, point.Symbol ?? point.Text) switch
    {
        ({ } value, { } words) => Markup.Escape($"{words} ({value:G15})"),
        ({ } value, null) => Markup.Escape(Words.Number(value)),
        (null, "") => "(empty)",
        (null, { } text) => Markup.Escape(text),
        _ => "[red]none[/]",
    };
}
