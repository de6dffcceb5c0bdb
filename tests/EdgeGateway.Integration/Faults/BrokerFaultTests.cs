namespace EdgeGateway.Integration.Faults;

/// <summary>The broker goes and comes under the running gateway. What it acknowledged is judged, even what it forgets afterwards.</summary>
public sealed class BrokerFaultTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broker_that_is_restarted_and_killed_costs_no_record_and_no_order(bool persistent)
    {
        await using var scene = await FaultScene.BeginAsync(persistent, seed: 1);
        await using var gateway = await scene.FirstAsync();
        for (var i = 0; i < (FaultScene.IsLong ? 20 : persistent ? 2 : 1); i++)
        {
            await scene.MoreArrivesAsync(200, gateway);
            await (i % 2 == 0 ? scene.Broker.KillAsync() : scene.Broker.StopAsync());
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            await scene.Broker.StartAsync();
        }

        await scene.MoreArrivesAsync(200, gateway);
        await scene.FinishAsync(gateway);
    }
}
