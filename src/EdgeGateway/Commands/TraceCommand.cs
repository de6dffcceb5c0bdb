using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tracing;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway trace BUS</c>: what passes on a wire, frame by frame, in words.</summary>
internal static class TraceCommand
{
    public static Command Create()
    {
        var bus = new Argument<string>("bus") { Description = "Id of the bus in gateway.yaml." };
        var device = new Option<string?>("--device", "-d") { Description = "Show only what concerns this device.", HelpName = "ID" };
        var raw = new Option<bool>("--raw") { Description = "Show the bytes of each frame too." };
        var listen = new Option<bool>("--listen") { Description = "Without a running gateway: listen on a serial line and never send, to see what another client and its devices say." };
        var length = new Option<string?>("--for") { Description = "End by itself after this time, such as 30s.", HelpName = "TIME" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = new Option<bool>("--json") { Description = "Print one JSON document a line, for programs." };
        var command = new Command(
            "trace",
            """
            Show what passes on a bus of the running gateway, live: every request and reply with addresses, values, check
            sum and latency, and what is odd about it (echo, reply from another unit, late reply, noise). The gateway is
            never held up: what a slow screen misses is counted. Ctrl+C ends it.
            """) { bus, device, raw, listen, length, configuration, profiles, json };
        command.SetAction(async (result, cancel) =>
        {
            var interrupted = new CancellationTokenSource();
            using var interrupt = Terminal.OnInterrupt(interrupted);
            var site = CommonOptions.Load(result.GetValue(configuration)!, result.GetValue(profiles));
            if (site is null)
            {
                return Terminal.BadInput;
            }

            var model = site.Model.Buses.FirstOrDefault(b => b.Id == result.GetValue(bus));
            if (model is null)
            {
                return Terminal.Fail($"There is no bus '{result.GetValue(bus)}'. Buses: {string.Join(", ", site.Model.Buses.Select(b => b.Id))}.", Terminal.BadInput);
            }

            DeviceModel? chosen = null;
            if (result.GetValue(device) is { } id && (chosen = site.Model.Devices.FirstOrDefault(d => d.Id == id && d.BusId == model.Id)) is null)
            {
                return Terminal.Fail($"There is no device '{id}' on the bus {model.Id}. Devices there: {string.Join(", ", site.Model.Devices.Where(d => d.BusId == model.Id).Select(d => d.Id))}.", Terminal.BadInput);
            }

            TimeSpan? limit = null;
            if (result.GetValue(length) is { } text)
            {
                if (!Quantities.TryDuration(text, out var span) || span <= TimeSpan.Zero)
                {
                    return Terminal.Fail($"'{text}' is no time: write it as 30s or 5m.", Terminal.BadInput);
                }

                limit = span;
            }

            var screen = new Screen(result.GetValue(json), result.GetValue(raw));
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, interrupted.Token);
            if (limit is { } after)
            {
                end.CancelAfter(after);
            }

            try
            {
                return await RunAsync(site.Model, model, chosen, result.GetValue(listen), result.GetValue(configuration)!, screen, end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                screen.End();
                return Terminal.Success;
            }
            catch (Exception e) when (e is UnauthorizedAccessException or HttpRequestException or IOException)
            {
                return Terminal.Fail(e.Message);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(
        SiteModel site, BusModel bus, DeviceModel? device, bool listen, string configuration, Screen screen, CancellationToken cancel)
    {
        if (bus is LocalBus local)
        {
            return Terminal.Fail(BusKinds.NoWire(local), Terminal.BadInput);
        }

        if (bus is ILoggerBus)
        {
            return Terminal.Fail(BusKinds.NoAsking(bus), Terminal.BadInput);
        }

        using var client = ControlClient.TryConnect(site.Storage.Directory);
        if (client is not null)
        {
            if (listen)
            {
                return Terminal.Fail($"A gateway is running and owns the bus {bus.Id}: leave --listen away to see what it sends and hears.", Terminal.BadInput);
            }

            screen.Begin($"bus {bus.Id} ({BusKinds.Describe(bus)}){(device is null ? "" : $", device {device.Id}, unit {device.Unit}")}, Ctrl+C ends");
            var stream = await client.StreamAsync($"trace/{Uri.EscapeDataString(bus.Id)}{(device is null ? "" : $"?unit={device.Unit}")}", cancel).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                using var lines = new StreamReader(stream);
                while (await lines.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
                {
                    if (JsonSerializer.Deserialize(line, TraceJson.Default.TraceDocument) is { } document)
                    {
                        screen.Show(document, line);
                    }
                }
            }

            screen.End();
            return Terminal.Fail("The gateway has stopped.");
        }

        if (!listen)
        {
            return Terminal.Fail(
                $"No gateway is running with its store in {site.Storage.Directory}, so nothing passes on the bus {bus.Id} by us. Start one with: edgegateway run --config {configuration}"
                + (WireFormats.LineOf(bus) is null ? "" : $"\nTo hear what another client and its devices say on the line, without sending anything: edgegateway trace {bus.Id} --listen"));
        }

        if (WireFormats.LineOf(bus) is not var (path, settings))
        {
            return Terminal.Fail($"Only a serial line can be listened to; {bus.Id} is {BusKinds.Describe(bus)}. Start the gateway to trace what it sends and hears.", Terminal.BadInput);
        }

        var port = SerialPort.Open(path, settings);
        await using (port.ConfigureAwait(false))
        {
            screen.Begin($"listening on {path} at {settings}, nothing is sent, Ctrl+C ends");
            var begin = TimeProvider.System.GetUtcNow();
            var session = new TraceSession([.. site.Devices.Where(d => d.BusId == bus.Id)], at => begin + at, device?.Unit);
            await foreach (var documents in session.ListenAsync(port, bus, TimeProvider.System, cancel).ConfigureAwait(false))
            {
                foreach (var document in documents)
                {
                    screen.Show(document, null);
                }
            }
        }

        screen.End();
        return Terminal.Fail($"{path} was closed: was the adapter unplugged?");
    }

    /// <summary>Prints a trace.</summary>
    private sealed class Screen(bool json, bool raw)
    {
        private long _frames;
        private long _odd;
        private long _lost;

        public void Begin(string what)
        {
            if (!json)
            {
                Console.Error.WriteLine(what);
            }
        }

        public void Show(TraceDocument document, string? line)
        {
            _frames += document.Kind is "lost" or "line" ? 0 : 1;
            _odd += document.Note.Length > 0 ? 1 : 0;
            _lost += document.Lost;
            Console.WriteLine(json ? line ?? JsonSerializer.Serialize(document, TraceJson.Default.TraceDocument) : Text(document));
        }

        public void End()
        {
            if (!json)
            {
                Console.Error.WriteLine($"{_frames} frames, {_odd} of them odd{(_lost > 0 ? $"; {_lost} events passed unseen" : "")}");
            }
        }

        private string Text(TraceDocument document)
        {
            var time = document.Time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            var arrow = document.Kind is "line" or "lost" ? "-" : document.Sent ? "→" : "←";
            var who = document.Unit is { } unit ? $"unit {unit}{(document.Device is { } device ? $" ({device})" : "")}: " : "";
            var check = document.CheckSum == "wrong" ? ", check sum WRONG" : document.CheckSum == "good" ? ", check sum good" : "";
            var latency = document.LatencyMilliseconds is { } ms ? $", {ms.ToString("0.0", CultureInfo.InvariantCulture)} ms" : "";
            var text = $"{time} {arrow} {who}{document.Text}{latency}{(document.Sent ? "" : check)}";
            if (document.Note.Length > 0)
            {
                text += $"\n             ! {document.Note}";
            }

            return raw && document.Bytes.Length > 0 ? $"{text}\n               {document.Bytes}" : text;
        }
    }
}
