using Xunit.Abstractions;

namespace EdgeGateway.Integration.Faults;

/// <summary>Loss and latency, without a kernel that can make them: pieces of a few bytes that come late, connections that break inside a packet, directions that end alone.</summary>
public sealed class LinkFaultTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_link_that_delays_breaks_and_half_closes_at_random_bytes_costs_no_record_and_no_order()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var scene = await FaultScene.BeginAsync(persistent: true, seed);
        await using var gateway = await scene.FirstAsync();
        scene.Wire.Rough = new Roughness(TimeSpan.FromMilliseconds(20), 3_000, Breaks: 0.01, HalfCloses: 0.005);
        // One after the other: the gateway backs off for up to a minute when connections break in a row.
        for (var breaks = 1; breaks <= (FaultScene.IsLong ? 30 : 2); breaks++)
        {
            await Gateway.Until.HoldsAsync(() => scene.Wire.Breaks >= breaks, $"{breaks} connections break", () => $"seed {seed}\n{gateway.Log}");
        }

        output.WriteLine($"{scene.Wire.Breaks} connections broke, {scene.Judge.Count} records");
        await scene.FinishAsync(gateway);
    }

    [Fact]
    public async Task A_link_that_falls_silent_is_noticed_and_costs_no_record()
    {
        await using var scene = await FaultScene.BeginAsync(persistent: true, seed: 2);
        await using var gateway = await scene.FirstAsync();
        await scene.MoreArrivesAsync(100, gateway);
        scene.Link.Stall();
        await gateway.StatusHoldsAsync(s => s.Uplinks.All(u => !u.Connected), "the silence is noticed");
        scene.Link.Cut();
        scene.Link.Resume();
        await scene.MoreArrivesAsync(100, gateway);
        await scene.FinishAsync(gateway);
    }
}
