using System.CommandLine;
using EdgeGateway.Bench;
using EdgeGateway.Bench.Hardware;
using EdgeGateway.Bench.Modbus;
using EdgeGateway.Bench.Outbox;

var root = new RootCommand(
    """
    Measures what EdgeGateway costs. Results and how to read them: bench/README.md.

      dotnet run -c Release --project bench/EdgeGateway.Bench -- frugality --seconds 60
      dotnet run -c Release --project bench/EdgeGateway.Bench -- decode
      dotnet run -c Release --project bench/EdgeGateway.Bench -- pipeline
      dotnet run -c Release --project bench/EdgeGateway.Bench -- detect
      dotnet run -c Release --project bench/EdgeGateway.Bench -- carbon
      dotnet run -c Release --project bench/EdgeGateway.Bench -- cems
      dotnet run -c Release --project bench/EdgeGateway.Bench -- footprint
      dotnet run -c Release --project bench/EdgeGateway.Bench -- modbus
      dotnet run -c Release --project bench/EdgeGateway.Bench -- outbox
      dotnet run -c Release --project bench/EdgeGateway.Bench -- mqtt
      dotnet run -c Release --project bench/EdgeGateway.Bench -- hardware
    """)
{
    FrugalityBench.Create(),
    DecodeBench.Create(),
    PipelineBench.Create(),
    TelemetryBench.Create(),
    DetectorBench.Create(),
    CarbonBench.Create(),
    CemsBench.Create(),
    FootprintBench.Create(),
    ModbusBench.Create(),
    OutboxBench.Create(),
    MqttBench.Create(),
    RampServer.Create(),
    HardwareBench.Create(),
};

root.Add(LatencyInside.Create());
foreach (var inside in PulsesInside.Create())
{
    root.Add(inside);
}

return await root.Parse(args).InvokeAsync();
