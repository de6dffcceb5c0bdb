using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeGateway.Control;
using EdgeGateway.Hosting;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway status</c>: what the running gateway does and what is wrong.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var wait = new Option<double?>("--wait-healthy")
        {
            Description = "Wait at most so long until the gateway works: this version of the program, the configuration of the file in force, a store that takes readings, no loop blocked. Devices and uplinks may be down. Exit code 0, or 1 with the reason.",
            HelpName = "SECONDS",
        };
        var before = new Option<string?>("--before")
        {
            Description = "With --wait-healthy, after an upgrade: what 'status --json' of the version before said. A store, a loop or devices that were as sick then are no fault of this one, and are told.",
            HelpName = "FILE",
        };
        var command = new Command("status", "Show what the running gateway does: devices, uplinks, outbox, and what is wrong.") { configuration, profiles, json, wait, before };
        command.SetAction((result, cancel) => result.GetValue(wait) is { } seconds ? HealthWait.RunAsync(result.GetValue(configuration)!, result.GetValue(profiles), TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86_400)), result.GetValue(before), cancel) : AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            "status",
            ControlJson.Default.StatusDocument,
            result.GetValue(json) ? null : Show,
            status => status.State == "ok" ? Terminal.Success : Terminal.Failure,
            cancel));
        return command;
    }

    /// <summary>Gets a document from the gateway that runs with this configuration and prints it.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="path">What to ask for.</param>
    /// <param name="type">The document.</param>
    /// <param name="show">Prints it for people; null: as JSON for programs.</param>
    /// <param name="judge">The exit code that the document means.</param>
    /// <param name="cancel">Stops waiting.</param>
    internal static async Task<int> AskAsync<T>(
        string configuration, string? profiles, string path, JsonTypeInfo<T> type, Action<T>? show, Func<T, int> judge, CancellationToken cancel)
    {
        using var client = Connect(configuration, profiles, out var code);
        if (client is null)
        {
            return code;
        }

        T document;
        try
        {
            document = await client.GetAsync(path, type, cancel).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message);
        }

        if (show is null)
        {
            Console.WriteLine(JsonSerializer.Serialize(document, type));
        }
        else
        {
            show(document);
        }

        return judge(document);
    }

    /// <summary>The gateway that runs with a configuration, or null, with the reason on standard error.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="exitCode">The exit code when there is none.</param>
    /// <param name="quiet">Do not say what is wrong with the configuration: the gateway itself will.</param>
    /// <param name="silent">Say nothing at all.</param>
    internal static ControlClient? Connect(string configuration, string? profiles, out int exitCode, bool quiet = false, bool silent = false)
    {
        var site = quiet ? CommonOptions.Read(configuration, profiles, out _) : CommonOptions.Load(configuration, profiles);

        // A gateway that runs keeps running when its file is broken by an edit: it is then looked for where the store is by default.
        var directory = site?.Model.Storage.Directory ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "data");
        exitCode = site is null ? Terminal.BadInput : Terminal.Failure;
        try
        {
            if (ControlClient.TryConnect(directory) is { } client)
            {
                return client;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            Console.Error.WriteLine(e.Message);
            return null;
        }

        if (silent)
        {
            return null;
        }

        Console.Error.WriteLine($"No gateway is running with its store in {directory}. Start one with: edgegateway run --config {configuration}");
        return null;
    }

    private static void Show(StatusDocument status)
    {
        AnsiConsole.MarkupLineInterpolated($"Gateway [bold]{status.Gateway}[/] of site [bold]{status.Site}[/]: {status.State}, up {Words.Span(TimeSpan.FromSeconds(status.UptimeSeconds))}, process {status.ProcessId}, configuration {status.Configuration[..12]}");
        if (status.Clock is { } clock)
        {
            AnsiConsole.MarkupLineInterpolated($"clock: {clock.Quality}{(clock.MaximumErrorSeconds is { } error ? $", at most {error:G3} s off" : "")}, gateway time {clock.GatewayTime:yyyy-MM-dd HH:mm:ss}Z{(Math.Abs(clock.OffsetSeconds) > 2 ? $", {Math.Abs(clock.OffsetSeconds):F1} s {(clock.OffsetSeconds > 0 ? "ahead of" : "behind")} the computer's clock" : "")}. {clock.Text}");
        }

        if (status.Reload is { } reload)
        {
            AnsiConsole.MarkupLineInterpolated($"reload {reload.Number} at {reload.At:yyyy-MM-dd HH:mm:ss}Z: {reload.State}{(reload.Problems.Count > 0 && reload.State is not ReloadDocument.InForce ? $" ({reload.Problems[^1]})" : "")}");
        }

        if (status.Alarms is { } alarms)
        {
            AnsiConsole.MarkupLineInterpolated($"alarms: {AlarmsCommand.Say(alarms)}");
        }

        if (status.Learning is { } learning)
        {
            AnsiConsole.MarkupLineInterpolated($"novelty: {Say(learning)}");
        }

        foreach (var problem in status.Problems)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]![/] {problem}");
        }

        foreach (var bus in status.Buses)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"bus [bold]{bus.Id}[/] ({bus.Where}): busy {bus.Utilisation:P0} of the last minute (predicted {bus.PredictedUtilisation:P0}), {bus.Depth} at once, {bus.Requests} requests, {bus.Replies} replies, {bus.Timeouts} timeouts, {bus.Damaged} damaged, {bus.Exceptions} refused");
        }

        foreach (var loss in status.Buses.SelectMany(b => b.MaximumLoss))
        {
            AnsiConsole.MarkupLineInterpolated($"  [grey]{loss}[/]");
        }

        foreach (var cause in status.LikelyCauses)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]?[/] {(cause.Device is null ? $"Bus {cause.Bus}" : $"Device {cause.Device} on bus {cause.Bus}")}: {cause.Symptom}. {cause.Cure}.");
        }

        var devices = new Table().Border(TableBorder.Rounded).AddColumns("device", "bus", "unit", "state", "requests", "failed", "refused", "missed", "latency");
        foreach (var device in status.Devices)
        {
            devices.AddRow(
                Markup.Escape(device.Id),
                Markup.Escape(device.Bus),
                $"{device.Unit}",
                device.Online ? "[green]answers[/]" : $"[red]{Markup.Escape(device.Problem)}[/]",
                $"{device.Requests}",
                $"{device.Failed}",
                $"{device.Exceptions}",
                $"{device.MissedPeriods}",
                device.Latency is { } latency ? $"{latency.P50:G3} ms, 99 %: {latency.P99:G3} ms" : "");
        }

        AnsiConsole.Write(devices);
        foreach (var device in status.Devices)
        {
            foreach (var learned in device.Learned)
            {
                AnsiConsole.MarkupLineInterpolated($"device [bold]{device.Id}[/], learned: {learned}");
            }
        }

        foreach (var device in status.Devices.Where(d => d.Texts.Count > 0))
        {
            AnsiConsole.MarkupLineInterpolated($"{device.Id}: {string.Join(", ", device.Texts.Select(t => $"{t.Key} {t.Value}"))}");
        }

        foreach (var uplink in status.Uplinks)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"uplink [bold]{uplink.Id}[/]: {(uplink.Connected ? "connected" : uplink.Problem)}, {uplink.Delivered} delivered, {uplink.Backlog} rows wait{(uplink.OldestSeconds is { } age and > 5 ? $", the oldest for {Words.Span(TimeSpan.FromSeconds(age))}" : "")}{(uplink.BackfillBytesPerSecond > 0 ? $", history at {Words.Bytes((long)uplink.BackfillBytesPerSecond)} a second" : "")}{(uplink.BackfillSeconds is { } s ? $", through in {Words.Span(TimeSpan.FromSeconds(s))}" : "")}");
        }

        OutboxCommand.Show(status.Outbox);
        if (status.Storage is { } storage)
        {
            Show(storage);
        }

        if (status.Ledger is { } ledger)
        {
            AnsiConsole.MarkupLineInterpolated($"ledger: {Say(ledger)}");
        }

        AnsiConsole.MarkupLineInterpolated(
            $"process: {Words.Bytes(status.Process.ResidentBytes)} resident, {status.Process.CpuSeconds:F1} s CPU, {Words.Bytes(status.Process.WrittenBytes)} written to storage, {status.Samples} samples");
    }

    /// <summary>How far the detector for any gauge is with learning, in one line.</summary>
    internal static string Say(LearningDocument learning)
    {
        if (learning.Learning == 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{learning.Points} points are watched, all are known");
        }

        const int most = 5;
        var devices = string.Join(", ", learning.Devices.Take(most).Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Device} {d.Learning} of {d.Points}")));
        var until = learning.SpeaksFrom is { } from ? string.Create(CultureInfo.InvariantCulture, $", known at {from:yyyy-MM-dd HH:mm}Z") : "";
        var silent = learning.NotBegun > 0 ? string.Create(CultureInfo.InvariantCulture, $", {learning.NotBegun} without a value yet") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{learning.Points} points are watched, {learning.Learning} are still learnt{until}{silent} ({devices}{(learning.Devices.Count > most ? ", ..." : "")})");
    }

    /// <summary>How the carbon ledger stands, in one line.</summary>
    internal static string Say(LedgerStatusDocument ledger) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(ledger.LastRecord == 0 ? "no record yet" : $"record {ledger.LastRecord}")}{(ledger.LastAt is { } at ? $" of {at:yyyy-MM-dd HH:mm:ss}Z" : "")}, {(ledger.SealedDay is { } day ? $"sealed through {day:yyyy-MM-dd} (record {ledger.SealedThrough})" : "no day sealed yet")}, key {ledger.Key[..Math.Min(16, ledger.Key.Length)]}{(ledger.Problem is { } problem ? $"; {problem}" : "")}");

    private static void Show(StorageDocument storage)
    {
        var written = storage is { WrittenBytes: { } total, WrittenBytesPerDay: { } day }
            ? $", {Words.Bytes(total)} written since the store was made, {Words.Bytes(day)} a day{(storage.WrittenBytesPerSample is { } sample ? $", {sample:F0} B per sample" : "")}"
            : "";
        AnsiConsole.MarkupLineInterpolated($"store: {storage.State}, {storage.InUsePercent:F0} % in use, full check: {storage.Integrity}{written}");
        if (storage.Lost.Count > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]lost since the store was made: {string.Join(", ", storage.Lost.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Value} {l.Key}"))}[/]");
        }

        if (storage.DamagedSets.Count > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"damaged databases set aside: {string.Join(", ", storage.DamagedSets)}");
        }
    }
}
