using EdgeGateway.Buses;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Doctoring;

/// <summary>The serial ports of the buses, in the words of <c>edgegateway check</c>. Nothing is opened.</summary>
internal static class SerialCheck
{
    public static IEnumerable<Finding> Look(Patient patient)
    {
        var ports = patient.Ports;
        var buses = patient.Site?.Model.Buses.OfType<SerialBus>().ToArray() ?? [];
        foreach (var bus in buses)
        {
            // What cannot be used at all; the rest works, and could work better.
            var grave = ports.KernelName(bus.Port) is null ? SerialTrouble.Missing(bus.Port, ports) : SerialTrouble.NotAllowed(bus.Port, ports);
            var isWell = true;
            foreach (var advice in SerialAdvice.Of(bus, ports))
            {
                isWell = false;
                var isGrave = (grave is not null && advice.EndsWith(grave, StringComparison.Ordinal)) || advice.StartsWith($"{bus.Port} is a console", StringComparison.Ordinal);
                yield return isGrave ? Finding.Fault($"Bus {bus.Id} cannot use its port {bus.Port}", advice) : Finding.Warning($"Bus {bus.Id} has a port that needs a look, {bus.Port}", advice);
            }

            if (isWell)
            {
                yield return Finding.Ok($"Bus {bus.Id}: {bus.Port} is there{(ports.Driver(bus.Port) is { } driver ? $" (driver {driver})" : "")} and may be opened");
            }
        }

        foreach (var adapter in ports.WithoutPort())
        {
            yield return Finding.Warning(
                $"The USB adapter {adapter} is plugged in and has no port", ports.Present().Count == 0 && buses.Length > 0 ? "The line about the bus says what to do" : "`dmesg` tells why no driver has it; brltty takes some adapters: `sudo apt remove brltty`, then plug it in again");
        }

        if (buses.Length == 0)
        {
            var present = ports.Present();
            yield return Finding.Ok($"No bus is on a serial port; {(present.Count == 0 ? "there is none here" : $"there are {string.Join(", ", present)}")}");
        }
    }
}
