using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves <c>buses</c>. A line or an endpoint has exactly one owner, so none may appear twice.</summary>
internal static class SiteBuses
{
    public static List<BusModel> Resolve(Section root, ProblemCollector problems)
    {
        var buses = new List<BusModel>();
        var ids = new Dictionary<string, int>();
        var endpoints = new Dictionary<string, string>();
        foreach (var entry in root.List("buses").OfType<YamlMap>())
        {
            if (GatewayShape.Bus.Choose(entry) is not { } shape)
            {
                continue;
            }

            var section = new Section(entry, shape, entry);
            if (section.Text("id") is not { } id)
            {
                continue;
            }

            if (!ids.TryAdd(id, entry.Line))
            {
                problems.Error(section.At("id"), $"the bus id '{id}' is used twice (first in line {ids[id]})", "Give each bus its own id");
                continue;
            }

            var timeout = SiteDevices.Timeout(section, problems) ?? TimeSpan.FromMilliseconds(500);
            if (shape == GatewayShape.TcpBus)
            {
                var host = section.Text("host") ?? "";
                var port = section.Integer("port") ?? 502;
                var name = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" : host.ToLowerInvariant();
                if (host.Length > 0 && !endpoints.TryAdd($"{name}:{port}", id))
                {
                    problems.Error(section.At("host"), $"the endpoint {host}:{port} belongs to the bus '{endpoints[$"{name}:{port}"]}' already", "Put the devices of both on one bus; they share its connection and are told apart by 'unit'");
                }

                buses.Add(new ModbusTcpBus { Id = id, Host = host, Port = port, Timeout = timeout });
            }
            else
            {
                var port = section.Text("port") ?? "";
                if (port.Length > 0 && !endpoints.TryAdd(port, id))
                {
                    problems.Error(section.At("port"), $"the port {port} belongs to the bus '{endpoints[port]}' already", "Put the devices of both on one bus: a line has one owner");
                }

                buses.Add(new ModbusRtuBus
                {
                    Id = id,
                    Port = port,
                    Baud = section.Integer("baud") ?? 9600,
                    Parity = section.Text("parity") switch { "none" => SerialParity.None, "odd" => SerialParity.Odd, _ => SerialParity.Even },
                    StopBits = section.Integer("stopBits") ?? 1,
                    Timeout = timeout,
                });
            }
        }

        return buses;
    }
}
