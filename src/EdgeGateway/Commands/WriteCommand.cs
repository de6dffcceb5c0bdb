using System.CommandLine;
using System.Net;
using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;
using EdgeGateway.Hosting;
using EdgeGateway.Writing;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway write DEVICE POINT VALUE</c>: one value to one device, within what the configuration allows.</summary>
internal static class WriteCommand
{
    /// <summary>Longer than the gateway can take: an answer that is given up while the write goes on misleads.</summary>
    internal static TimeSpan Patience(SiteModel site, string device) =>
        TimeSpan.FromSeconds(10) + (site.Devices.FirstOrDefault(d => d.Id == device) is { } model ? WriteDesk.Longest(model) : TimeSpan.FromSeconds(60));

    private const string MayHappen = "The write may still happen, or has happened: see 'edgegateway writes', and look at the device before writing again.";

    public static Command Create()
    {
        var device = new Argument<string>("device") { Description = "Id of the device in gateway.yaml." };
        var point = new Argument<string>("point") { Description = "Id of the point in its profile." };
        var value = new Argument<string>("value") { Description = "A number in the point's unit, or a name such as on or run." };
        var hold = new Option<string?>("--for") { Description = "How long the value holds before the safe value is written, such as 15m. Without it: as the configuration says.", HelpName = "TIME" };
        var reason = new Option<string>("--reason") { Description = "Why; it stands in the record.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Write without asking." };
        var offline = new Option<bool>("--offline") { Description = "Write although no gateway is running; the next start publishes the record. Values that must expire are refused." };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(
            "write",
            """
            Write one value to a device through the running gateway. The profile must declare the point writable, the device must have
            'allowWrites: true', and the value must be inside the limits. It is shown what will be done, and asked, before anything is
            written; the write is recorded, read back, and never repeated. Exit code: 0 the device shows the value, 1 it does not or
            nobody knows, 2 a rule forbids it.
            """) { device, point, value, hold, reason, yes, offline, configuration, profiles, json };
        command.SetAction(async (result, cancel) =>
        {
            var order = new WriteOrderDocument
            {
                Device = result.GetValue(device)!,
                Point = result.GetValue(point)!,
                Value = result.GetValue(value)!,
                Reason = result.GetValue(reason)!,
            };
            if (result.GetValue(hold) is { } text)
            {
                if (!Quantities.TryDuration(text, out var time) || time <= TimeSpan.Zero)
                {
                    return Terminal.Fail($"'{text}' is no time. Write a number and a unit: 30s, 15m, 2h.", Terminal.BadInput);
                }

                order = order with { ForSeconds = time.TotalSeconds };
            }

            var site = CommonOptions.Load(result.GetValue(configuration)!, result.GetValue(profiles));
            return site is null
                ? Terminal.BadInput
                : await RunAsync(site.Model, order, result.GetValue(yes), result.GetValue(offline), result.GetValue(json), cancel).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(SiteModel site, WriteOrderDocument order, bool yes, bool offline, bool json, CancellationToken cancel)
    {
        try
        {
            using var client = ControlClient.TryConnect(site.Storage.Directory);
            if (client is not null)
            {
                return await ThroughGatewayAsync(client, site, order, yes, json, cancel).ConfigureAwait(false);
            }
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message, e.StatusCode == HttpStatusCode.UnprocessableEntity ? Terminal.BadInput : Terminal.Failure);
        }
        catch (UnauthorizedAccessException e)
        {
            return Terminal.Fail(e.Message);
        }

        return offline
            ? await WithoutGatewayAsync(site, order, yes, json).ConfigureAwait(false)
            : Terminal.Fail($"No gateway is running with its store in {site.Storage.Directory}. Start it (edgegateway run), or add --offline: the write is then recorded in a file that the next start publishes.");
    }

    private static async Task<int> ThroughGatewayAsync(ControlClient client, SiteModel site, WriteOrderDocument order, bool yes, bool json, CancellationToken cancel)
    {
        if (!yes)
        {
            var check = await client.PostAsync(
                "write/check", order, ControlJson.Default.WriteOrderDocument, ControlJson.Default.WriteCheckDocument, cancel).ConfigureAwait(false);
            if (Ask(check) is { } code)
            {
                return code;
            }
        }

        try
        {
            var write = await client.PostAsync(
                "write", order, ControlJson.Default.WriteOrderDocument, ControlJson.Default.WriteDocument, cancel, Patience(site, order.Device)).ConfigureAwait(false);
            return Report(write, json);
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            return Terminal.Fail($"{e.Message} {MayHappen}");
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail($"Interrupted. {MayHappen}");
        }
    }

    private static async Task<int> WithoutGatewayAsync(SiteModel site, WriteOrderDocument order, bool yes, bool json)
    {
        TimeSpan? hold = order.ForSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        var request = new WriteRequest(order.Device, order.Point, order.Value, hold, order.Reason, $"local command of {Environment.UserName}");
        if (WriteRules.Decide(site, request, out var refusal) is not { } plan)
        {
            return Terminal.Fail(refusal, Terminal.BadInput);
        }

        if (site.Buses.First(b => b.Id == plan.Device.BusId) is LocalBus)
        {
            return Terminal.Fail("An output of this computer is in its safe state unless the gateway runs: it would fall back as soon as this command ends. Start it: edgegateway run.", Terminal.BadInput);
        }

        if (plan.For is { } time)
        {
            return Terminal.Fail($"The value would have to give way to the safe value after {WriteRules.Span(time)}, and no gateway is running that would write it. Start it: edgegateway run.", Terminal.BadInput);
        }

        try
        {
            // Held from here on, so that no gateway starts and there is one owner of the bus.
            using var record = OfflineWrites.Open(site.Storage.Directory);
            var bus = BusKinds.Create(site.Buses.First(b => b.Id == plan.Device.BusId), TimeProvider.System);
            await using (bus.ConfigureAwait(false))
            {
                var look = await DeviceWriter.LookAsync(bus, plan.Device, plan.Point, TimeProvider.System).ConfigureAwait(false);
                if (!look.Answered)
                {
                    return Terminal.Fail($"{plan.Device.Id}: {look.Problem}. Its present value must be known before a write. Nothing was written.");
                }

                var clock = BootClock.System(TimeProvider.System);
                var standing = OfflineWrites.Standing(site.Storage.Directory, plan, clock.Read(), out var unknown);
                if (standing is not null)
                {
                    Console.Error.WriteLine($"It takes the place of {standing.Value}, which {standing.Who} wrote for a time: once confirmed, no safe value is written any more.");
                }

                if (unknown.Length > 0)
                {
                    Console.Error.WriteLine($"Whether a value here still has to give way to the safe one is not known: {unknown} If one has, the next start of the gateway writes the safe value over this one.");
                }

                if (!yes && Ask(WriteDesk.Describe(plan, look, null)) is { } code)
                {
                    return code;
                }

                var (write, problem) = await OfflineWrites.WriteAsync(bus, plan, look.Value, standing, clock, TimeProvider.System, record.Append).ConfigureAwait(false);
                var outcome = Report(write, json);
                return problem.Length == 0
                    ? outcome
                    : Terminal.Fail($"The device was written to, and the outcome above could not be recorded: {problem} The next start of the gateway publishes the write as 'unknown'.");
            }
        }
        catch (IOException e)
        {
            return Terminal.Fail(e.Message);
        }
    }

    /// <summary>Shows what will be done and asks; null to go on, else the exit code.</summary>
    private static int? Ask(WriteCheckDocument check)
    {
        var present = check.Present.Length > 0 ? check.Present : "no value";
        Console.Error.WriteLine($"{check.Device}.{check.Point} ({check.Place})");
        Console.Error.WriteLine($"  now      {present}");
        Console.Error.WriteLine($"  then     {check.Value}{(check.ForSeconds is { } seconds ? $" for {WriteRules.Span(TimeSpan.FromSeconds(seconds))}, then {check.Safe}" : "")}");
        Console.Error.WriteLine($"  {check.Limits}");
        if (check.Replaces.Length > 0)
        {
            Console.Error.WriteLine($"  It takes the place of {check.Replaces}, which holds for a time.");
        }

        if (Console.IsInputRedirected)
        {
            return Terminal.Fail("Nothing was written: there is nobody to ask. Add --yes to write without asking.", Terminal.BadInput);
        }

        Console.Error.Write("Write it? [y/N] ");
        return Console.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES" ? null : Terminal.Fail("Nothing was written.");
    }

    private static int Report(WriteDocument write, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(write, ControlJson.Default.WriteDocument));
        }
        else
        {
            AnsiConsole.MarkupLineInterpolated($"{write.Device}.{write.Point}: {write.Text} {Outcome(write)}");
            if (write.Expires is { } expires)
            {
                AnsiConsole.MarkupLineInterpolated($"The safe value is written at {expires:yyyy-MM-dd HH:mm:ss}Z; 'edgegateway writes' shows it.");
            }
        }

        return write.Outcome == WriteOutcome.Confirmed.Word() ? Terminal.Success : Terminal.Failure;
    }

    /// <summary>An outcome as a technician reads it.</summary>
    internal static string Outcome(WriteDocument write)
    {
        var detail = write.Detail.Length > 0 ? $" ({write.Detail})" : "";
        return write.Outcome switch
        {
            null => "is under way",
            "confirmed" => $"written and confirmed{detail}",
            "not-confirmed" => $"written, NOT confirmed{detail}",
            "refused-by-device" => $"REFUSED{detail}",
            "unknown" => $"UNKNOWN{detail}. Look at the device before writing again; nothing is repeated by itself",
            "not-attempted" => $"not written{detail}",
            _ => write.Outcome + detail,
        };
    }
}
