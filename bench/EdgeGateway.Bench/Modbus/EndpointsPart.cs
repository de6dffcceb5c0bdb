namespace EdgeGateway.Bench.Modbus;

/// <summary>(e) 250 endpoints, each with a connection of its own, 100 registers a second, in one gateway process.</summary>
internal static class EndpointsPart
{
    private const int Endpoints = 250;

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var figures = await FrugalityBench.MeasureAsync(
            settings.Gateway,
            Endpoints,
            all: false,
            TimeSpan.FromSeconds(75),
            settings.Length ?? TimeSpan.FromSeconds(60),
            settings.Cpu,
            settings.Others,
            settings.Folder,
            settings.Json,
            cancel).ConfigureAwait(false);
        return figures.Missed == 0 ? 0 : 1;
    }
}
