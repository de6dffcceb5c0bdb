using System.Net;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols;

namespace EdgeGateway.Doctoring;

/// <summary>Cable, route and name server. Meters are not called: many take one connection, and it is the gateway's.</summary>
internal static class NetworkCheck
{
    public static IEnumerable<Finding> Look(Patient patient)
    {
        if (patient.Site is null)
        {
            yield return Finding.NotChecked("What is needed of the network: the configuration cannot be used");
            yield break;
        }

        string[] brokers = [.. patient.Brokers.SelectMany(b => b.Servers).Select(s => new Uri(s)).Where(s => !s.IsLoopback).Select(s => s.Host.Trim('[', ']')).Distinct()];
        string[] meters = [.. patient.Site.Model.Buses.OfType<NetworkBus>().Select(b => b.Host).Where(h => !new UriBuilder("tcp", h).Uri.IsLoopback).Distinct()];
        if (brokers.Length + meters.Length == 0)
        {
            yield return Finding.Ok("Nothing here needs the network");
            yield break;
        }

        if (Interfaces(patient) is not { Count: > 0 } interfaces)
        {
            yield return Finding.NotChecked("The network interfaces: /sys/class/net shows none");
        }
        else
        {
            // operstate is unknown for some drivers that carry data all the same.
            var up = interfaces.Where(i => i.State is "up" or "unknown").Select(i => i.Name).ToArray();
            yield return up.Length > 0
                ? Finding.Ok($"Up: {string.Join(", ", up)}")
                : Finding.Fault($"No network interface is up: {string.Join(", ", interfaces.Select(i => $"{i.Name} is {i.State}"))}", "Check cable and switch (the lights at the socket), or the modem and its SIM card; `ip link` and `nmcli device` show the state");
        }

        if (brokers.Length > 0)
        {
            yield return Route(patient, brokers);
            if (brokers.FirstOrDefault(b => !IPAddress.TryParse(b, out _)) is { } name && patient.Word("etc/resolv.conf") is var names && names?.Split('\n').Any(l => l.TrimStart().StartsWith("nameserver", StringComparison.Ordinal)) != true)
            {
                yield return Finding.Fault($"There is no name server, so that {name} cannot be found", "`resolvectl status` or /etc/resolv.conf show them: have one given by DHCP, name one in the settings of the connection, or write the broker's address instead of its name");
            }
        }

        if (meters.Length > 0)
        {
            yield return patient.Status is null
                ? Finding.NotChecked($"Whether the devices at {string.Join(", ", meters)} can be reached: many take one connection, which is the gateway's", "Start the gateway and see `edgegateway status`, or `edgegateway scan BUS` while it is stopped")
                : Finding.Ok($"The running gateway calls {string.Join(", ", meters)}; its own lines say whether they answer");
        }
    }

    private static Finding Route(Patient patient, string[] brokers)
    {
        if (patient.Word("proc/net/route") is not { } table)
        {
            return Finding.NotChecked("The default route: /proc/net/route cannot be read");
        }

        // proc_net(5): interface, destination, gateway, ...; for version 6 destination, length, ..., interface at the end, and "lo" stands for "none".
        var hasFour = table.Split('\n').Skip(1).Any(l => l.Split('\t') is [_, "00000000", ..]);
        var hasSix = patient.Word("proc/net/ipv6_route")?.Split('\n').Any(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["00000000000000000000000000000000", "00", .., not "lo"]) == true;
        return hasFour || hasSix ? Finding.Ok("There is a default route")
            : Finding.Warning($"There is no default route: {string.Join(", ", brokers)} can be reached only when it is in a network of this computer", "Have DHCP give a gateway, or name one in the settings of the connection (`nmcli connection modify NAME ipv4.gateway ADDRESS`)");
    }

    private static List<(string Name, string State)> Interfaces(Patient patient)
    {
        var folder = patient.At("sys/class/net");
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder).Select(f => (Name: Path.GetFileName(f), State: KernelText.Read(Path.Combine(f, "operstate")) ?? "unknown")).Where(i => i.Name != "lo").OrderBy(i => i.Name, StringComparer.Ordinal)]
            : [];
    }
}
