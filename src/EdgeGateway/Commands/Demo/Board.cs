using EdgeGateway.Control;

namespace EdgeGateway.Commands.Demo;

/// <summary>One line of the table.</summary>
internal readonly record struct BoardLine(string Label, string Text, Tone Tone = Tone.Plain);

/// <summary>Makes the table: what the broker delivered, and beside it what the gateway says of itself.</summary>
internal static class Board
{
    private const int AnomaliesShown = 3;
    private static readonly TimeSpan Old = TimeSpan.FromSeconds(12);

    public static IReadOnlyList<BoardLine> Make(Stage stage)
    {
        var picture = stage.Receiver.Now();
        var now = stage.Clock.GetUtcNow();
        return
        [
            Area(picture, now, "low-voltage room", $"incomer {Kilowatts(picture, "incomer")}, {Energy(picture, "incomer")}", "incomer.active_power_total"),
            Area(picture, now, "ventilation", $"main fan {Kilowatts(picture, "main-fan")}, bearing {Number(picture, "fan-vibration.velocity_rms_z", 1, "F2")} mm/s", "main-fan.active_power_total"),
            Area(picture, now, "underground", $"lighting {Kilowatts(picture, "lighting")}", "lighting.active_power_total"),
            Belt(picture, now),
            Area(picture, now, "boiler house", $"O2 {Number(picture, "stack-gas.concentration_o2", 1, "F2")} %, NOx {Number(picture, "stack-gas.concentration_nox", 1, "F1")} mg/m3, {Number(picture, "stack-flow.temperature", 1, "F1")} Cel", "stack-gas.concentration_o2"),
            Carbon(picture, stage),
            Devices(picture),
            .. Anomalies(picture),
            Uplink(stage),
            new("lanes", $"{picture.Live} records live, {picture.History} from history"),
            Ledger(picture, stage),
        ];
    }

    private static BoardLine Area(Picture picture, DateTimeOffset now, string label, string text, string point) =>
        picture.Values.TryGetValue(point, out var seen) && now - seen.Time > Old
            ? new(label, $"{text}   (as of {seen.Time:HH:mm:ss})", Tone.Quiet)
            : new(label, text);

    private static string Number(Picture picture, string point, double scale, string format) =>
        picture.Value(point) is { } value ? (value * scale).ToString(format) : "-";

    private static string Kilowatts(Picture picture, string device) => $"{Number(picture, $"{device}.active_power_total", 0.001, "F1")} kW";

    private static string Energy(Picture picture, string device) =>
        picture.Energy.TryGetValue(device, out var energy) ? $"{energy:F3} kWh since the start" : "- kWh";

    private static BoardLine Belt(Picture picture, DateTimeOffset now)
    {
        var slips = picture.Stands("slip", "belt-scale");
        var slip = picture.Value("belt-scale.belt_speed") is { } belt && picture.Value("belt-drive.output_frequency") is { } hertz and > 1
            ? $"{1 - (belt / (hertz * 0.05)):P1}"
            : "-";
        var line = Area(
            picture, now, "BC-01",
            $"{Kilowatts(picture, "belt-meter")}, drive {Number(picture, "belt-drive.output_frequency", 1, "F1")} Hz, belt {Number(picture, "belt-scale.belt_speed", 1, "F2")} m/s, slip {slip}, {Number(picture, "belt-scale.mass_flow_rate", 1, "F0")} t/h{(slips ? "   BELT SLIPS" : "")}",
            "belt-scale.belt_speed");
        return slips ? line with { Tone = Tone.Bad } : line;
    }

    private static BoardLine Carbon(Picture picture, Stage stage)
    {
        if (picture.Carbon.Count == 0)
        {
            return new(
                "kg CO2e",
                stage.Clock.GetUtcNow() < stage.FirstEntries
                    ? $"the first entries come when the quarter of an hour ends, at {stage.FirstEntries:HH:mm:ss}"
                    : $"the quarter of an hour ended at {stage.FirstEntries:HH:mm:ss}, its entries are on their way",
                Tone.Quiet);
        }

        string Kilograms(string name) => picture.Carbon.TryGetValue(name, out var sum) ? $"{sum.Kilograms:F3}" : "-";
        return new(
            "kg CO2e",
            $"site {Kilograms("site")}; of it main fan {Kilograms("main-fan")}, BC-01 {Kilograms("belt-meter")}, lighting {Kilograms("lighting")}, not sub-metered {Kilograms("remainder")}");
    }

    private static BoardLine Devices(Picture picture)
    {
        var offline = picture.Online.Where(d => !d.Value).Select(d => d.Key).Order(StringComparer.Ordinal).ToList();
        return offline.Count == 0
            ? new("devices", $"{picture.Online.Count} online")
            : new("devices", $"{picture.Online.Count - offline.Count} online, OFFLINE: {string.Join(", ", offline)}", Tone.Bad);
    }

    // The newest are shown; a table that outgrows the screen shows nothing.
    private static IEnumerable<BoardLine> Anomalies(Picture picture)
    {
        if (picture.Anomalies.Count == 0)
        {
            return [new("anomalies", "none")];
        }

        var shown = picture.Anomalies.TakeLast(AnomaliesShown).Select(a => new BoardLine("anomaly", a.Text, Tone.Bad));
        var others = picture.Anomalies.Count - AnomaliesShown;
        return others > 0 ? shown.Append(new("", $"and {others} older", Tone.Bad)) : shown;
    }

    private static BoardLine Uplink(Stage stage)
    {
        var broker = stage.Broker.IsUp ? "broker up" : "BROKER DOWN";
        return stage.Gateway.Status is not { } status
            ? new("uplink", $"{broker}; the gateway does not answer (yet)", Tone.Quiet)
            : new(
                "uplink",
                $"{broker}; gateway {(stage.Gateway.IsLinkUp ? "connected" : "NOT CONNECTED")}, outbox {status.Depth} {(status.Depth == 1 ? "message" : "messages")}{Oldest(status)}, {Words.Bytes(status.Process.ResidentBytes)} resident",
                stage.Broker.IsUp && stage.Gateway.IsLinkUp ? Tone.Plain : Tone.Bad);
    }

    private static string Oldest(StatusDocument status) => status.Outbox.OldestAgeSeconds >= 3 ? $" (the oldest waits for {status.Outbox.OldestAgeSeconds:F0} s)" : "";

    // While history is on its way, live records have overtaken it: the numbers in between are expected, not lost.
    private static BoardLine Ledger(Picture picture, Stage stage) =>
        picture.Ledger.Missing > 0 && (stage.Gateway.Backlog > 0 || !stage.Gateway.IsLinkUp)
            ? new("ledger", $"{picture.LedgerLine}   (history is still on its way)", Tone.Quiet)
            : new("ledger", picture.LedgerLine, picture.IsWhole ? Tone.Good : Tone.Bad);
}
