namespace EdgeGateway.Core.Diagnosis;

/// <summary>From numbers to what a technician does next. A pure function.</summary>
/// <remarks>
/// What concerns the whole bus is said once, for the bus, and not again for each device. A symptom needs a few requests before it is
/// believed, and a share of them before it is worth a walk to the cabinet.
/// </remarks>
public static class LikelyCauses
{
    /// <summary>Requests that are needed before silence or damage is believed.</summary>
    public const int Enough = 4;

    private const double WorthSaying = 0.02;
    private const double Busy = 0.85;

    /// <summary>Everything that the numbers point to, the bus first, then device by device; empty when all is well.</summary>
    public static IReadOnlyList<LikelyCause> Of(BusSymptoms bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        List<LikelyCause> causes = [];
        var asked = bus.Devices.Where(d => d.Requests >= Enough).ToArray();
        var isConnected = Connection(bus, asked, causes);
        if (bus.IsLine)
        {
            Echo(bus, asked, causes);
            Strangers(bus, asked, causes);
        }

        var isBusFault = isConnected && (Silence(bus, asked, causes) || GatewayWithoutLine(bus, asked, causes));
        var isDamageEverywhere = Damage(bus, asked, causes);
        var isBrokenEverywhere = BreaksOff(bus, asked, causes);
        if (bus.Utilisation is >= Busy)
        {
            causes.Add(new(bus.Bus, null, $"the bus is in use {100 * bus.Utilisation:0} % of the time",
                bus.IsLine
                    ? "Poll less often, use a higher baud rate on all devices, or spread the devices over two lines"
                    : "Poll less often, or allow the device a longer time only where it needs it"));
        }

        foreach (var device in asked)
        {
            if (!isBusFault && isConnected)
            {
                OneSilent(bus, device, asked, causes);
            }

            Strange(bus, device, causes);
            if (!isDamageEverywhere)
            {
                OneDamaged(bus, device, asked, causes);
            }

            if (!isBrokenEverywhere)
            {
                OneBreaksOff(bus, device, causes);
            }

            Slow(bus, device, causes);
            Refusals(bus, device, isBusFault, causes);
        }

        LateReplies(bus, asked, causes);
        return causes;
    }

    private static bool Connection(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        var failed = asked.Sum(d => d.NotConnected);
        if (failed == 0)
        {
            return true;
        }

        var all = asked.All(d => d.Heard + d.Timeouts == 0);
        var words = bus.ConnectProblem;
        var symptom = all ? $"{bus.Where} cannot be opened{Because(words)}" : $"the connection to {bus.Where} broke {Times(failed)}{Because(words)}";
        if (bus.IsSerial)
        {
            causes.Add(new(bus.Bus, null, symptom, words switch
            {
                _ when !all => "The adapter was unplugged or reset: check its cable and the supply of the USB hub",
                _ when Says("in use") => "Two programs cannot share a line: stop the other one",
                _ when Says("may not be opened") || Says("kept from this service") => "Give the gateway's user that right, and restart the gateway",
                _ => "Look whether the adapter is plugged in and the path is right (`ls -l /dev/serial/by-id/`), and that no other program holds the port",
            }));
            return !all;
        }

        var cure = words switch
        {
            _ when Says("ConnectionRefused") => "The computer is there and nothing listens: Modbus TCP is switched off on the device, it uses another port, or it allows one client only and another one holds it",
            _ when Says("ConnectionReset") || Says("closed the connection") => "The device closes connections: many allow one client only, so end the other one (a second gateway, a SCADA, a test program), or raise its limit of connections",
            _ when Says("HostNotFound") || Says("TryAgain") || Says("NoData") => "The name is not known: write the IP address, or mend the name service",
            _ when Says("NetworkUnreachable") || Says("HostUnreachable") => "There is no way to this address: check cable, switch, VLAN, subnet mask and router",
            _ when Says("did not accept") || Says("TimedOut") => "Nothing answers at this address: check power, cable, IP address and firewall",
            _ => "Check power, cable, address and port, and whether the device allows only one client",
        };
        causes.Add(new(bus.Bus, null, symptom, cure));
        return !all;

        bool Says(string what) => words.Contains(what, StringComparison.Ordinal);
    }

    private static void Echo(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        var requests = asked.Sum(d => d.Requests);
        if (bus.Echoes >= Enough && bus.Echoes >= requests / 5)
        {
            causes.Add(new(bus.Bus, null, $"echo of our own requests ({bus.Echoes} heard back)",
                asked.Any(d => d.Answered > 0)
                    ? "The adapter does not switch off its receiver while it sends. It does no harm as long as devices answer; set RTS direction control, or the adapter's echo switch"
                    : "RTS direction or missing termination: the adapter hears itself and nobody else. Set the direction control (RTS), check that A and B reach the devices, and terminate both ends with 120 ohm"));
        }
    }

    private static void Strangers(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        if (bus.Unasked >= Enough && bus.Unasked >= WorthSaying * asked.Sum(d => d.Requests))
        {
            causes.Add(new(bus.Bus, null, $"bytes came {Times(bus.Unasked)} while nothing was asked",
                "Another client uses the line, or a device talks without being asked, and both collide with requests and answers: a line has one client, so disconnect the other. When there is none: bias resistors and termination, a line that floats makes bytes of its own"));
        }
    }

    private static bool Silence(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        var timeouts = asked.Sum(d => d.Timeouts);
        if (asked.Length == 0 || timeouts == 0 || asked.Any(d => d.Heard > 0))
        {
            return false;
        }

        var who = asked.Length == 1 ? $"its only device ({asked[0].Device}, unit {asked[0].Unit}) never answers" : $"none of its {asked.Length} devices ever answers";
        causes.Add(new(bus.Bus, null, $"{who} ({timeouts} requests)", bus.Medium switch
        {
            BusMedium.Line => "Check, in this order: the port is the right one, A and B are not swapped, baud rate and parity are those of the devices (`edgegateway scan` finds them), the devices have power, both ends are terminated with 120 ohm",
            BusMedium.LineOverTcp => "The device server accepts the connection and nothing answers: check that it passes bytes on unchanged (if it speaks Modbus TCP, that is another type of bus), baud rate and parity set in it, A and B, termination, and the unit ids",
            BusMedium.Udp => "Nothing comes back, and UDP does not tell why: check power, address and port, the firewall, the unit ids, and that the device speaks Modbus over UDP",
            _ => "The connection is accepted and nothing answers: check the unit ids, the line behind the gateway if there is one, and that the port speaks Modbus TCP (not RTU over TCP)",
        }));
        return true;
    }

    private static bool GatewayWithoutLine(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        if (asked.Length < 2 || asked.Any(d => d.Answered > 0 || Count(d, 0x0A, 0x0B) == 0))
        {
            return false;
        }

        causes.Add(new(bus.Bus, null, $"the Modbus gateway answers, and none of the {asked.Length} units behind it does (exceptions 0A and 0B)",
            "Check the serial line behind the gateway: baud rate and parity set in the gateway, A and B, termination, unit ids"));
        return true;
    }

    private static bool Damage(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        var damaged = asked.Where(IsDamaged).ToArray();
        var sum = asked.Sum(d => d.Corrupt);
        if (sum == 0 || damaged.Length == 0)
        {
            return false;
        }

        var heard = asked.Where(d => d.Heard > 0).ToArray();
        if (heard.All(d => d.Answered + d.Refused == 0))
        {
            causes.Add(new(bus.Bus, null, $"all that comes is damaged ({sum} frames)", bus.Medium switch
            {
                BusMedium.Line => "Baud rate or parity differ from those of the devices (`edgegateway scan` finds them); if they are right: A and B, termination, or two devices with one unit id",
                BusMedium.LineOverTcp => "Baud rate or parity set in the device server differ from those of the devices, or it speaks Modbus TCP (another type of bus); if they are right: A and B, termination, or two devices with one unit id",
                BusMedium.Udp => "What answers is no Modbus over UDP: check port and protocol",
                _ => "What answers is no Modbus TCP: check port and protocol (RTU over TCP is another type of bus)",
            }));
            return true;
        }

        if (damaged.Length < 2 || damaged.Length * 2 < heard.Length)
        {
            return false;
        }

        var rate = Share(sum, heard.Sum(d => d.Heard));
        if (RisesWithLength(asked))
        {
            causes.Add(new(bus.Bus, null, $"{rate} of the answers are damaged, long ones more than short ones",
                "Noise or reflections hit the longer frames: terminate both ends with 120 ohm, use shielded twisted pair away from drives, lower the baud rate"));
        }
        else
        {
            causes.Add(new(bus.Bus, null, $"{rate} of the answers are damaged, on {damaged.Length} of {heard.Length} devices",
                bus.IsSerial
                    ? "Check termination (120 ohm at both ends, nowhere else), shielding, baud rate and parity, and that only one client uses the line"
                    : "The line behind the device server is disturbed: check its termination, baud rate and parity"));
        }

        return true;
    }

    private static void OneDamaged(BusSymptoms bus, DeviceSymptoms device, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        if (IsDamaged(device))
        {
            var others = asked.Any(d => d != device && d.Answered > 0);
            var symptom = device.Answered + device.Refused == 0
                ? $"all its answers are damaged ({device.Corrupt} frames)"
                : RisesWithLength([device])
                    ? $"{Share(device.Corrupt, device.Heard)} of its answers are damaged, long ones more than short ones"
                    : $"{Share(device.Corrupt, device.Heard)} of its answers are damaged";
            causes.Add(new(bus.Bus, device.Device, others ? $"{symptom}; the others are clean" : symptom,
                others
                    ? $"Check its own wiring (stub, connector, shield) and its baud rate and parity; two devices may have the unit id {device.Unit}"
                    : $"Check baud rate and parity, termination and wiring; two devices may have the unit id {device.Unit}"));
        }

    }

    // Of several devices at once: they do not all have the same fault, so the line or the adapter has it.
    private static bool BreaksOff(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        var broken = asked.Where(IsBroken).ToArray();
        var heard = asked.Where(d => d.Heard > 0).ToArray();
        if (!bus.IsLine || broken.Length < 2 || broken.Length * 2 < heard.Length)
        {
            return false;
        }

        causes.Add(new(bus.Bus, null, $"{Share(asked.Sum(d => d.Short), heard.Sum(d => d.Heard))} of the answers break off, on {broken.Length} of {heard.Length} devices",
            bus.IsSerial
                ? "Bytes are lost on the way: another adapter, or another USB socket without a hub in between; termination (120 ohm at both ends) and shielding; a lower baud rate"
                : "Bytes are lost on the line behind the device server, or it hands frames over in parts: raise its packing time, and check termination and shielding"));
        return true;
    }

    private static void OneBreaksOff(BusSymptoms bus, DeviceSymptoms device, List<LikelyCause> causes)
    {
        if (IsBroken(device))
        {
            causes.Add(new(bus.Bus, device.Device, $"{Share(device.Short, device.Heard)} of its answers break off",
                device.LongReads.Damaged > 0 && device.ShortReads.Requests >= Enough && device.ShortReads.Damaged == 0
                    ? "Only long ones: it sends fewer registers than its profile allows; lower maxRegistersPerRead in the profile"
                    : "Bytes are lost on the way: check the adapter and its driver, wiring, and whether the device pauses inside a frame"));
        }
    }

    private static void OneSilent(BusSymptoms bus, DeviceSymptoms device, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        if (device.Timeouts < Enough || device.Heard > 0)
        {
            return;
        }

        var others = asked.Count(d => d.Heard > 0);
        causes.Add(new(bus.Bus, device.Device, $"never answers ({device.Timeouts} requests), while {(others == 1 ? "another device answers" : $"{others} others answer")}",
            bus.IsSerial
                ? $"The line is good: check its power, its unit id (is it {device.Unit}?), its baud rate and parity, and its own stub of the wiring"
                : $"The connection is good: check its unit id (is it {device.Unit}?), its power, and its line behind the gateway"));
    }

    private static void Strange(BusSymptoms bus, DeviceSymptoms device, List<LikelyCause> causes)
    {
        if (device.Strange == 0)
        {
            return;
        }

        if (device.AnsweredBy is { } other)
        {
            var known = bus.Devices.FirstOrDefault(d => d.Unit == other);
            causes.Add(new(bus.Bus, device.Device, $"replies from unit {other} to requests for unit {device.Unit} ({Times(device.Strange)})",
                $"Two devices share a unit id, or a gateway maps unit ids{(known is null ? "" : $"; unit {other} is {known.Device} here")}: switch one off and scan again, and look at the mapping of the gateway"));
        }
        else
        {
            causes.Add(new(bus.Bus, device.Device, $"answers that do not belong to the request ({Times(device.Strange)})",
                bus.IsLine ? "Another client uses the line: a line has one client, so disconnect the other" : "The device or the gateway before it mixes up its clients: connect alone, or update its firmware"));
        }
    }

    private static void Slow(BusSymptoms bus, DeviceSymptoms device, List<LikelyCause> causes)
    {
        if (device.Heard == 0 || device.Timeouts == 0 || device.Timeouts < WorthSaying * device.Requests)
        {
            return;
        }

        var limit = $"{device.Timeout.TotalMilliseconds:0} ms";
        if (device.UsualLatency is { } usual && usual >= 0.6 * device.Timeout)
        {
            causes.Add(new(bus.Bus, device.Device, $"{Share(device.Timeouts, device.Requests)} of its requests time out, and it often takes {usual.TotalMilliseconds:0} ms of the {limit} it is allowed",
                $"It is only slow: set 'timeout: {SuggestedTimeout(usual)}' for it, or poll it less often"));
        }
        else
        {
            causes.Add(new(bus.Bus, device.Device, $"{Share(device.Timeouts, device.Requests)} of its requests stay without an answer, the others are answered well within {limit}",
                bus.IsSerial
                    ? "Now and then it does not hear the request or is not heard: check its terminals and stub, termination, and whether it is busy with another interface"
                    : "Requests get lost between: check the network, the line behind the gateway, and whether other clients keep the device busy"));
        }
    }

    private static void LateReplies(BusSymptoms bus, DeviceSymptoms[] asked, List<LikelyCause> causes)
    {
        // The slow device has been named already, with the time that it needs.
        if (bus.LateReplies > 0 && bus.LateReplies >= WorthSaying * asked.Sum(d => d.Requests) && !causes.Exists(c => c.Cure.StartsWith("It is only slow", StringComparison.Ordinal)))
        {
            var waiting = asked.Where(d => d.Timeouts > 0).Select(d => d.Device).ToArray();
            causes.Add(new(bus.Bus, null, $"{bus.LateReplies} answers came when they were no longer awaited{(waiting.Length is > 0 and <= 4 ? $"; requests to {string.Join(", ", waiting)} timed out" : "")}",
                "The time limit is too short: raise 'timeout' of the device or the bus. Answers that come twice point to a converter that repeats frames"));
        }
    }

    private static void Refusals(BusSymptoms bus, DeviceSymptoms device, bool isBusFault, List<LikelyCause> causes)
    {
        foreach (var (code, count) in device.Exceptions.Where(e => e.Value > 0).OrderBy(e => e.Key))
        {
            if (isBusFault && code is 0x0A or 0x0B)
            {
                continue;
            }

            causes.Add(new(bus.Bus, device.Device, $"refuses {Share(count, device.Requests)} of its requests with exception {code:X2} ({Words(code).Name})", Words(code).Cure));
        }
    }

    // MODBUS V1.1b3, 7.
    private static (string Name, string Cure) Words(byte code) => code switch
    {
        0x01 => ("illegal function", "It does not offer this table: the profile is of another model, or needs input in place of holding registers"),
        0x02 => ("illegal data address", "A register in the request does not exist: check model and firmware against the profile, and for addresses that are off by one"),
        0x03 => ("illegal data value", "The request is longer than it allows: lower maxRegistersPerRead in the profile"),
        0x04 => ("device failure", "It fails while it works on the request: look at its own display, have it serviced"),
        0x05 => ("acknowledge", "It needs more time for this: poll it less often"),
        0x06 => ("device busy", "It is busy: poll it less often, and look for other clients that keep it busy"),
        0x08 => ("memory parity error", "Its memory is faulty: have it serviced"),
        0x0A => ("gateway has no path", "The Modbus gateway does not know where this unit is: check the gateway's table of units"),
        0x0B => ("unit behind the gateway does not answer", "The Modbus gateway works and the unit behind it is silent: check its power, its unit id, and the line behind the gateway"),
        _ => ("a code that the standard does not define", "See the manual of the device for this code"),
    };

    private static bool IsBroken(DeviceSymptoms device) => device.Short >= 2 && device.Short >= WorthSaying * device.Heard;

    private static bool IsDamaged(DeviceSymptoms device) => device.Corrupt >= 2 && device.Corrupt >= WorthSaying * device.Heard;

    private static bool RisesWithLength(DeviceSymptoms[] devices)
    {
        var (shortReads, shortDamaged) = (devices.Sum(d => d.ShortReads.Requests), devices.Sum(d => d.ShortReads.Damaged));
        var (longReads, longDamaged) = (devices.Sum(d => d.LongReads.Requests), devices.Sum(d => d.LongReads.Damaged));

        // Three times the share, with enough of both to compare.
        return shortReads >= 10 && longReads >= 10 && longDamaged >= 3 && longDamaged * (double)shortReads > 3.0 * shortDamaged * longReads;
    }

    private static long Count(DeviceSymptoms device, params ReadOnlySpan<byte> codes)
    {
        long sum = 0;
        foreach (var code in codes)
        {
            sum += device.Exceptions.GetValueOrDefault(code);
        }

        return sum;
    }

    private static string SuggestedTimeout(TimeSpan usual) => $"{Math.Ceiling(usual.TotalMilliseconds * 2.5 / 100) * 100:0}ms";

    private static string Because(string words) => words.Length == 0 ? "" : $" ({words})";

    private static string Times(long count) => count == 1 ? "once" : $"{count} times";

    private static string Share(long part, long whole)
    {
        var percent = 100.0 * part / Math.Max(whole, 1);
        return percent >= 99.95 ? "all" : percent >= 10 ? $"{percent:0} %" : $"{percent:0.#} %";
    }
}
