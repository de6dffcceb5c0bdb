namespace EdgeGateway.Bench.Modbus;

/// <summary>(d) Processor time for a million samples of the whole gateway, every sample forwarded through the outbox, and summaries only.</summary>
internal static class ForwardingPart
{
    public static async Task<int> RunAsync(ModbusBenchSettings settings, CancellationToken cancel)
    {
        var program = new GatewayProgram(settings.Gateway);
        var missed = 0;
        bool[] modes = [true, false];
        foreach (var all in modes)
        {
            missed += await FrugalityBench.MeasureAsync(
                program, all, TimeSpan.FromSeconds(75), settings.Length ?? TimeSpan.FromSeconds(60), settings.Cpu, settings.Others, Path.GetTempPath(), settings.Json, cancel)
                .ConfigureAwait(false) == 0 ? 0 : 1;
        }

        return missed;
    }
}
