using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Scanning;

/// <summary>Looks for units on lines and networks, and examines each that answers. It never writes, and can be interrupted at any moment.</summary>
/// <param name="profiles">What is proposed.</param>
/// <param name="devices">Devices that <c>gateway.yaml</c> has, with their buses: found units are compared with them.</param>
/// <param name="timeout">How long a unit may take to answer while it is looked for.</param>
/// <param name="view">Who watches.</param>
/// <param name="time">The clock.</param>
internal sealed class Scanner(
    IReadOnlyList<DeviceProfile> profiles, SiteModel? devices, TimeSpan timeout, IScanView view, TimeProvider time)
{
    private const int LikelyUnits = 10;
    private const int HostsAtOnce = 16;

    // Nobody sets these by hand: what answers here answers everywhere.
    private static readonly byte[] UnlikelyUnits = [233, 201];

    // A unit that seemed silent is given four times the time, at least a second, and never more than a running gateway grants.
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostPatience = TimeSpan.FromMilliseconds(ProbeEndpoint.LongestTimeout);

    private readonly UnitExaminer _examiner = new(profiles, Max(timeout, TimeSpan.FromMilliseconds(500)), time);
    private readonly List<FoundUnit> _found = [];
    private readonly List<string> _notes = [];
    private readonly Lock _gate = new();

    /// <summary>Asks units of a bus through a probe that stands: the running gateway, or a connection.</summary>
    public Task<ScanDocument> ScanUnitsAsync(IProbe probe, ScanPlace place, IReadOnlyList<byte> units, CancellationToken cancel) =>
        RunAsync(() => SearchAsync(probe, place, units, $"asking units on {place.Text}", cancel));

    /// <summary>Looks for the settings of a serial line, and for the units on it.</summary>
    /// <param name="port">Path of the port.</param>
    /// <param name="bus">The bus in <c>gateway.yaml</c>, whose other settings (RTU or ASCII, data bits, direction, silences) hold for every attempt; null for plain RTU.</param>
    /// <param name="lines">Settings to try, the likely first; the first at which a unit answers is the one.</param>
    /// <param name="asked">Unit ids to ask.</param>
    /// <param name="cancel">Interrupts.</param>
    public Task<ScanDocument> ScanLineAsync(
        string port, SerialBus? bus, IReadOnlyList<SerialSettings> lines, IReadOnlyList<byte> asked, CancellationToken cancel) => RunAsync(async () =>
    {
        // Unit 0 is every unit of a line at once, and none of them answers it (V1.02, 2.2).
        byte[] units = [.. asked.Where(u => u > 0)];

        // Low ids first at all settings: that finds nearly every line within a minute. Then the rest.
        var likely = lines.Count > 1 ? units.Take(LikelyUnits).ToArray() : units;
        var rest = units.Skip(likely.Length).ToArray();
        foreach (var some in (byte[][])[likely, rest])
        {
            for (var i = 0; i < lines.Count && some.Length > 0; i++)
            {
                var settings = lines[i];
                var place = PlaceOf(port, bus?.Id, settings);
                var probe = new ClientProbe(BusKinds.CreateClient(ModelOf(port, bus, settings, timeout), time));
                await using (probe.ConfigureAwait(false))
                {
                    var stage = lines.Count > 1 ? $"{place.Text} ({i + 1} of {lines.Count})" : place.Text;
                    if (!await SearchAsync(probe, place, some, stage, cancel).ConfigureAwait(false))
                    {
                        continue;
                    }

                    if (some == likely && rest.Length > 0)
                    {
                        await SearchAsync(probe, place, rest, stage, cancel).ConfigureAwait(false);
                    }

                    return;
                }
            }
        }

        // Nothing speaks Modbus here. Meters by DL/T 645 have even parity and are slow.
        foreach (var settings in lines.Where(l => bus is null && l is { DataBits: 8, Parity: Protocols.Serial.SerialParity.Even, StopBits: 1, Baud: <= 9600 }).OrderBy(l => l.Baud != 2400))
        {
            var line = new Dlt645Bus { Id = "scan", Port = port, Baud = settings.Baud, Parity = Core.Site.SerialParity.Even, StopBits = 1, Timeout = timeout, Meters = [] };
            var probe = new ClientMeterProbe(BusKinds.CreateMeterClient(line, time));
            await using (probe.ConfigureAwait(false))
            {
                if (await SearchMetersAsync(probe, line, PlaceOf(port, null, settings), cancel).ConfigureAwait(false))
                {
                    return;
                }
            }
        }
    });

    /// <summary>Looks for DL/T 645 meters on a bus: those that it names, and whoever answers the question for the address.</summary>
    /// <param name="bus">The bus, which nobody else uses.</param>
    /// <param name="place">The same as the scan reached it.</param>
    /// <param name="cancel">Interrupts.</param>
    public Task<ScanDocument> ScanMetersAsync(BusModel bus, ScanPlace place, CancellationToken cancel) => RunAsync(async () =>
    {
        var probe = new ClientMeterProbe(BusKinds.CreateMeterClient(bus, time));
        await using (probe.ConfigureAwait(false))
        {
            await SearchMetersAsync(probe, (IMeterBus)bus, place, cancel).ConfigureAwait(false);
        }
    });

    /// <summary>The same through a probe that stands: the running gateway, which owns the bus.</summary>
    public Task<ScanDocument> ScanMetersAsync(IMeterProbe probe, IMeterBus bus, ScanPlace place, CancellationToken cancel) =>
        RunAsync(() => SearchMetersAsync(probe, bus, place, cancel));

    private async Task<bool> SearchMetersAsync(IMeterProbe probe, IMeterBus bus, ScanPlace place, CancellationToken cancel)
    {
        view.Step(new($"{place.Text}: DL/T 645 meters", 0, 1));
        var configured = bus.Meters;
        var known = configured.Select(m => MeterAddress.TryParse(m.Address, out var address) ? address : default).Where(a => a != default);
        var (meters, note) = await new MeterSearch(probe, profiles, timeout).RunAsync(known, cancel).ConfigureAwait(false);
        if (note is not null)
        {
            Note($"{place.Text}: {note}");
        }

        // Units that the file gives stay; others follow behind the last one.
        var next = configured.Select(m => (int)m.Unit).DefaultIfEmpty().Max();
        var fresh = place with { Meters = [.. meters.Select(m => m.Address.ToString())] };
        foreach (var (address, proposed, notes) in meters)
        {
            var unit = configured.FirstOrDefault(m => m.Address == address.ToString())?.Unit ?? ++next;
            if (place.Bus is not null && unit == next && !configured.Any(m => m.Unit == unit))
            {
                Note($"Add the meter to 'meters' of the bus {place.Bus}: {{ unit: {unit}, address: \"{address}\" }}");
            }

            Add(new FoundUnit { Where = fresh.Text, Place = fresh, Unit = unit, ConfiguredAs = ConfiguredAs(place, unit), Identification = [$"DL/T 645 meter {address}"], Profiles = proposed, Notes = notes });
        }

        return meters.Count > 0;
    }

    /// <summary>Looks for Modbus TCP servers, and for units behind each.</summary>
    /// <param name="hosts">Where to look.</param>
    /// <param name="units">Unit ids to ask; null for those that a device on its own has.</param>
    /// <param name="cancel">Interrupts.</param>
    public Task<ScanDocument> ScanNetworkAsync(IReadOnlyList<(string Host, int Port)> hosts, IReadOnlyList<byte>? units, CancellationToken cancel) => RunAsync(async () =>
    {
        var done = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = HostsAtOnce, CancellationToken = cancel };
        await Parallel.ForEachAsync(hosts, options, async (host, stop) =>
        {
            var place = new ScanPlace { Host = host.Host, TcpPort = host.Port };
            var model = new ModbusTcpBus { Id = "scan", Host = host.Host, Port = host.Port, Timeout = timeout };
            var probe = new ClientProbe(((ModbusBus)BusKinds.Create(model, time)).Client);
            await using (probe.ConfigureAwait(false))
            {
                await SearchAsync(probe, place, units ?? [1, 255, 0], hosts.Count == 1 ? $"asking units on {place.Text}" : null, stop, isAlone: hosts.Count == 1).ConfigureAwait(false);
            }

            if (hosts.Count > 1)
            {
                view.Step(new($"asking {hosts.Count} addresses", Interlocked.Increment(ref done), hosts.Count));
            }
        }).ConfigureAwait(false);
    });

    /// <summary>How long a unit is waited for that seemed silent and may be slow.</summary>
    internal static TimeSpan Patience(TimeSpan timeout) => Max(timeout * 4, LeastPatience) is var wait && wait < MostPatience ? wait : MostPatience;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static ScanPlace PlaceOf(string port, string? bus, SerialSettings settings) => new()
    {
        Bus = bus,
        SerialPort = port,
        Baud = settings.Baud,
        Parity = settings.Parity.ToString().ToLowerInvariant(),
        StopBits = settings.StopBits,
    };

    /// <summary>The line at other settings; what else the file says of it (adapter, framing, silences) stays.</summary>
    internal static SerialBus ModelOf(string port, SerialBus? bus, SerialSettings settings, TimeSpan timeout) =>
        (bus ?? new ModbusRtuBus { Id = "scan", Port = port, Baud = settings.Baud, Parity = default, StopBits = settings.StopBits, Timeout = timeout }) with
    {
        Baud = settings.Baud,
        Parity = settings.Parity switch
        {
            Protocols.Serial.SerialParity.Even => Core.Site.SerialParity.Even,
            Protocols.Serial.SerialParity.Odd => Core.Site.SerialParity.Odd,
            _ => Core.Site.SerialParity.None,
        },
        StopBits = settings.StopBits,
        Timeout = timeout,
    };

    private async Task<ScanDocument> RunAsync(Func<Task> scan)
    {
        var isComplete = true;
        try
        {
            await scan().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whatever the reason, what was found until now is the result.
            isComplete = false;
        }
        catch (Exception e) when (IsBroken(e) && HasFindings())
        {
            isComplete = false;
            Note($"The scan broke off: {e.Message}");
        }

        lock (_gate)
        {
            FoundUnit[] units = [.. _found.OrderBy(u => u.Place.Text, StringComparer.Ordinal).ThenBy(u => u.Unit)];
            return new() { IsComplete = isComplete, Units = units, Notes = [.. _notes.Distinct()], Yaml = ScanYaml.Of(units) };
        }
    }

    /// <summary>Asks units one after the other and examines those that answer; true when one did.</summary>
    private async Task<bool> SearchAsync(
        IProbe probe, ScanPlace place, IReadOnlyList<byte> units, string? stage, CancellationToken cancel, bool isAlone = true)
    {
        var search = new UnitSearch(probe, timeout);
        var patient = new UnitSearch(probe, Patience(timeout));
        var (found, late) = (false, probe.LateAnswers);
        List<byte> silent = [];
        List<byte> again = [];
        var behindGateway = 0;
        for (var i = 0; i < units.Count; i++)
        {
            if (stage is not null)
            {
                view.Step(new($"{stage}: unit {units[i]}", i, units.Count));
            }

            var presence = await search.AskAsync(units[i], cancel).ConfigureAwait(false);
            if (probe.LateAnswers > late)
            {
                // An answer came after its time: one of those that seemed silent is only slow.
                late = probe.LateAnswers;
                again.AddRange(silent.TakeLast(2));
            }

            switch (presence)
            {
                case Presence.NoBus:
                    if (isAlone)
                    {
                        Note($"{place.Text}: {search.Problem}");
                    }

                    return found;
                case Presence.Silent:
                    silent.Add(units[i]);
                    break;
                case Presence.BehindGateway:
                    behindGateway++;
                    break;
                case Presence.Garbled:
                    found |= await GarbledAsync(probe, place, units[i], found, cancel).ConfigureAwait(false);
                    break;
                default:
                    found = true;
                    if (place.Host is not null && await AnswersToAllAsync(search, cancel).ConfigureAwait(false))
                    {
                        await ExamineAsync(probe, place, units[i], stage, cancel, "it answers to every unit id: one device, not a gateway").ConfigureAwait(false);
                        return true;
                    }

                    await ExamineAsync(probe, place, units[i], stage, cancel).ConfigureAwait(false);
                    break;
            }
        }

        // No question came after the last one, so that nothing could show whether its answer was only late.
        foreach (var unit in again.Concat(silent.Where(u => place.Host is null && u == units[^1])).Distinct().ToArray())
        {
            if (await patient.AskAsync(unit, cancel).ConfigureAwait(false) == Presence.Answers)
            {
                found = true;
                await ExamineAsync(probe, place, unit, stage, cancel, $"it is slow: it did not answer within {timeout.TotalMilliseconds:0} ms, so give it a longer timeout").ConfigureAwait(false);
            }
        }

        if (behindGateway > 0 && !found)
        {
            Note($"{place.Text} is a Modbus gateway: none of the units asked is behind it. Ask more of them with --units 1-247");
        }

        if (stage is not null)
        {
            view.Step(new(stage, units.Count, units.Count));
        }

        return found;
    }

    /// <summary>Whether ids answer that nobody would set: then the server does not look at the id.</summary>
    private static async Task<bool> AnswersToAllAsync(UnitSearch search, CancellationToken cancel)
    {
        foreach (var unit in UnlikelyUnits)
        {
            if (await search.AskAsync(unit, cancel).ConfigureAwait(false) != Presence.Answers)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Something answers, damaged: two units with one id when the settings are right, or another speed.</summary>
    private async Task<bool> GarbledAsync(IProbe probe, ScanPlace place, byte unit, bool othersAnswer, CancellationToken cancel)
    {
        var readable = await new UnitSearch(probe, timeout).AskAsync(unit, cancel).ConfigureAwait(false) == Presence.Answers;
        if (!readable && !othersAnswer)
        {
            Note($"{place.Text}: unit {unit} answers damaged: another speed or parity, or two devices with this id");
            return false;
        }

        Add(new FoundUnit
        {
            Where = place.Text,
            Place = place,
            Unit = unit,
            ConfiguredAs = ConfiguredAs(place, unit),
            Notes = ["its answers are damaged while others are clean: probably two devices have this unit id. Disconnect one of them and scan again"],
        });
        return true;
    }

    private async Task ExamineAsync(IProbe probe, ScanPlace place, byte unit, string? stage, CancellationToken cancel, string? note = null)
    {
        // Found is found, even when the examination is interrupted.
        var bare = new FoundUnit { Where = place.Text, Place = place, Unit = unit, ConfiguredAs = ConfiguredAs(place, unit), Notes = note is null ? [] : [note] };
        try
        {
            var examined = await _examiner.ExamineAsync(
                probe,
                place,
                unit,
                (done, total) =>
                {
                    if (stage is not null)
                    {
                        view.Step(new($"{stage}: examining unit {unit}", done, total));
                    }
                },
                cancel).ConfigureAwait(false);
            bare = examined with { ConfiguredAs = bare.ConfiguredAs, Notes = [.. bare.Notes, .. examined.Notes] };
        }
        catch (OperationCanceledException)
        {
            bare = bare with { Notes = [.. bare.Notes, "not examined: the scan was interrupted"] };
            throw;
        }
        catch (Exception e) when (IsBroken(e))
        {
            bare = bare with { Notes = [.. bare.Notes, "not examined: the scan broke off"] };
            throw;
        }
        finally
        {
            Add(bare);
        }
    }

    /// <summary>The gateway stopped or refused, or the port went away: no reason to forget what was found.</summary>
    private static bool IsBroken(Exception e) => e is HttpRequestException or IOException or UnauthorizedAccessException;

    private bool HasFindings()
    {
        lock (_gate)
        {
            return _found.Count > 0;
        }
    }

    private void Add(FoundUnit unit)
    {
        lock (_gate)
        {
            _found.Add(unit);
            view.Found(unit);
        }
    }

    private void Note(string words)
    {
        lock (_gate)
        {
            _notes.Add(words);
        }
    }

    private string? ConfiguredAs(ScanPlace place, int unit) => devices?.Devices.FirstOrDefault(d => d.Unit == unit && devices.Buses.First(b => b.Id == d.BusId) switch
    {
        var bus when bus.Id == place.Bus => true,
        NetworkBus network => network.Host == place.Host && network.Port == place.TcpPort,
        SerialBus line => line.Port == place.SerialPort,
        _ => false,
    })?.Id;
}
