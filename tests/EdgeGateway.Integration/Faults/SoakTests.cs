using EdgeGateway.Integration.Gateway;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Faults;

/// <summary>All faults in random order, one upon the other: broker, link and gateway.</summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly Roughness Bad = new(TimeSpan.FromMilliseconds(30), 2_000, Breaks: 0.01, HalfCloses: 0.005);

    [Fact]
    public async Task Faults_in_random_order_cost_no_record_no_order_and_no_watt_hour()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("EDGEGATEWAY_SEED"), out var given) ? given : Random.Shared.Next();
        var length = FaultScene.IsLong ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(20);
        output.WriteLine($"seed {seed} (repeat with EDGEGATEWAY_SEED={seed})");
        var random = new Random(seed);
        await using var scene = await FaultScene.BeginAsync(persistent: true, seed);
        var gateway = await scene.FirstAsync();
        try
        {
            var began = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(began) < length)
            {
                gateway = await NextAsync(random, scene, gateway);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1_500)), TimeProvider.System);
            }

            output.WriteLine($"{scene.Judge.Count} records, {scene.Wire.Breaks} connections broken");
            await scene.FinishAsync(gateway);
        }
        finally
        {
            await gateway.DisposeAsync();
        }
    }

    private async Task<GatewayProcess> NextAsync(Random random, FaultScene scene, GatewayProcess gateway)
    {
        var fault = random.Next(9);
        output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} fault {fault}");
        switch (fault)
        {
            case 0:
                await scene.Broker.RestartAsync();
                break;
            case 1:
                await scene.Broker.KillAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2_000)), TimeProvider.System);
                await scene.Broker.StartAsync();
                break;
            case 2:
                scene.Link.Cut();
                break;
            case 3:
                scene.Link.Stall();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5_000)), TimeProvider.System);
                scene.Link.Resume();
                break;
            case 4:
                await scene.Link.RefuseAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(3_000)), TimeProvider.System);
                scene.Link.Allow();
                break;
            case 5:
                scene.Wire.Rough = scene.Wire.Rough is null ? Bad : null;
                break;
            case 6 or 7:
                Assert.False(gateway.HasExited, $"it ended by itself:\n{gateway.Log}");
                await gateway.KillAsync();
                await gateway.DisposeAsync();
                gateway = GatewayProcess.Start(scene.Site);
                if (random.Next(3) > 0)
                {
                    await gateway.ReadyAsync();
                }

                break;
            default:
                await gateway.ReadyAsync();
                Assert.True(await gateway.StopAsync() == 0, gateway.Log);
                await gateway.DisposeAsync();
                gateway = GatewayProcess.Start(scene.Site);
                break;
        }

        return gateway;
    }
}
