using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Faults;

/// <summary><c>kill -9</c> of the real program between changes of a file, from the opening of a store of a version before until its tables have been brought up.</summary>
public sealed class MigrationKillTests
{
    // Most of the changes are pages of the one transaction.
    private const int Step = 4;
    private const int MostChanges = 120;

    [Fact]
    public async Task A_kill_while_the_tables_are_brought_up_leaves_all_of_it_or_nothing()
    {
        using var old = SchemaTests.Filled();
        var rows = old.ReadAll().Select(r => r.Id).ToArray();
        old.Store.Dispose();
        Sql.Execute(old.Database, SchemaTests.AsVersion2);
        var versions = new HashSet<long>();
        for (var kill = 1; !versions.Contains(4) && kill < MostChanges; kill += Step)
        {
            await using var site = GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1), ("broker", 1));
            site.Add(LoadSite.Profile);
            Directory.CreateDirectory(site.Store);
            foreach (var file in Directory.EnumerateFiles(old.Directory))
            {
                File.Copy(file, Path.Combine(site.Store, Path.GetFileName(file)));
            }

            // The store's opening deletes what an old backup has left, just before it looks at the version.
            const string arm = "gateway.db.copy-arm";
            await File.WriteAllTextAsync(Path.Combine(site.Store, arm), "");
            File.SetLastWriteTimeUtc(Path.Combine(site.Store, arm), DateTime.UnixEpoch);
            await using (var gateway = GatewayProcess.Start(site, new Dictionary<string, string> { ["LD_PRELOAD"] = BallastKillTests.Killer.Value, ["KILL_AT"] = $"{kill}", ["KILL_ARM"] = arm }))
            {
                Assert.True(await gateway.ExitAsync() == 128 + 9, $"kill {kill}: {gateway.Log}");
            }

            var database = Path.Combine(site.Store, "gateway.db");
            versions.Add(Sql.Long(database, "SELECT version FROM schema"));
            using (var store = SqliteStore.Open(site.Load().Model.Storage, ["centre"], TimeProvider.System))
            {
                Assert.True(store.Recover().Report is null, $"kill {kill}: taken for damaged");
            }

            Assert.Equal(4, Sql.Long(database, "SELECT version FROM schema"));
            Assert.Equal(rows.Length, Sql.Long(database, "SELECT count(*) FROM outbox WHERE id <= " + rows[^1]));
        }

        // Before it was done, and after.
        Assert.Equal([2L, 4L], versions.Order());
    }
}
