using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Faults;

/// <summary>Pages of the store rot while rows wait in it: the feed names every record that is gone, and goes on in a new epoch.</summary>
public sealed class DamageFaultTests
{
    private const int EnoughBytes = 600_000;

    [Fact]
    public async Task Records_that_the_damage_took_are_named_and_no_gap_is_left_unexplained()
    {
        await using var scene = await FaultScene.BeginAsync(persistent: true, seed: 4);
        await using (var gateway = await scene.FirstAsync())
        {
            await scene.MoreArrivesAsync(100, gateway);
            await scene.Link.RefuseAsync();
            var log = new FileInfo(Path.Combine(scene.Site.Store, "gateway.db-wal"));
            await Until.HoldsAsync(
                () =>
                {
                    log.Refresh();
                    return log.Exists && log.Length > EnoughBytes;
                },
                "rows wait in the write-ahead log",
                () => gateway.Log);
            await gateway.KillAsync();
            using var file = log.OpenWrite();
            var noise = new byte[16_384];
            new Random(4).NextBytes(noise);
            file.Position = log.Length / 2;
            file.Write(noise);
        }

        scene.Link.Allow();
        await using var next = await GatewayProcess.RunAsync(scene.Site);
        await scene.MoreArrivesAsync(200, next);
        await scene.FinishAsync(next, damaged: true);
        Assert.Equal(1, scene.Judge.Verdict().Ledger.EpochChanges);
    }
}
