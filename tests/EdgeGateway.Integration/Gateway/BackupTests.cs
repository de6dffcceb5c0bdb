using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.Versioning;
using EdgeGateway.Backup;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Package;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A gateway that is backed up, put back, upgraded and wiped.</summary>
[SupportedOSPlatform("linux")]
public sealed class BackupTests
{
    private static readonly string Text = LoadSite.Configuration(2).Replace("servers: [", "username: gw, passwordFile: secrets/broker, servers: [", StringComparison.Ordinal);

    [Fact]
    public async Task A_backup_of_a_running_gateway_goes_on_in_a_new_epoch_and_nothing_is_taken_for_a_duplicate()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = await ServeAsync(broker.Port);
        var backup = Path.Combine(Path.GetDirectoryName(site.Configuration)!, "backup.tar.gz");
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Delivered > 5, "records leave");
            var (code, words, errors) = await GatewayProcess.CommandAsync("backup", backup, "--config", site.Configuration);
            Assert.True(code == 0, $"{words}\n{errors}\n{gateway.Log}");
            Assert.False(File.Exists(new StoreFiles(site.Store).Copy));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(backup));
            Assert.Contains("passwords and private keys", words, StringComparison.Ordinal);

            // It goes on, and numbers records that the backup does not know.
            var delivered = (await gateway.StatusAsync()).Delivered;
            await gateway.StatusHoldsAsync(s => s.Delivered > delivered + 5, "more records leave");

            (code, _, errors) = await GatewayProcess.CommandAsync("restore", backup, "--config", site.Configuration, "--replace");
            Assert.Equal(1, code);
            Assert.Contains("Another gateway", errors, StringComparison.Ordinal);
            await gateway.HistoryIsThroughAsync();
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        var before = Content(site);
        var (dry, said, _) = await GatewayProcess.CommandAsync("restore", backup, "--config", site.Configuration, "--replace", "--dry-run");
        Assert.Equal(0, dry);
        Assert.Contains("Nothing was written", said, StringComparison.Ordinal);
        var (refused, _, why) = await GatewayProcess.CommandAsync("restore", backup, "--config", site.Configuration);
        Assert.Equal(1, refused);
        Assert.Contains("--replace", why, StringComparison.Ordinal);
        Assert.Equal(before, Content(site));

        var (done, told, wrong) = await GatewayProcess.CommandAsync("restore", backup, "--config", site.Configuration, "--replace");
        Assert.True(done == 0, $"{told}\n{wrong}");
        Assert.Single(Directory.GetDirectories(site.Store, "replaced-*"));
        await using (var again = await GatewayProcess.RunAsync(site))
        {
            var record = await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "new-epoch", "the feed tells the restore", () => again.Log);
            Assert.Contains("restored from a backup", record.GetProperty("text").GetString(), StringComparison.Ordinal);
            await again.StatusHoldsAsync(s => s.Delivered > 5, "records leave");
            await again.HistoryIsThroughAsync();
            Assert.True(await again.StopAsync() == 0, again.Log);
        }

        var report = receiver.Report();
        Assert.True(report is { Missing: 0, Duplicated: 0, EpochChanges: 1 }, $"{report.Line}\n{report}");
    }

    [Fact]
    public async Task A_backup_without_keys_holds_none_and_one_that_was_changed_or_is_of_a_newer_program_is_refused()
    {
        await using var site = await ServeAsync(Mosquitto.FreePort());
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Outbox.Rows > 2, "rows wait");
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        // Of a gateway that does not run.
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var (full, bare) = (Path.Combine(folder, "full.tar.gz"), Path.Combine(folder, "bare.tar.gz"));
        Assert.Equal(0, (await GatewayProcess.CommandAsync("backup", full, "--config", site.Configuration)).ExitCode);
        Assert.Equal(0, (await GatewayProcess.CommandAsync("backup", bare, "--config", site.Configuration, "--without-keys")).ExitCode);
        Assert.Contains("configuration/secrets/broker", Names(full));
        Assert.Contains($"store/{LedgerKeyFile.Name}", Names(full));
        Assert.DoesNotContain(Names(bare), n => n.Contains("secrets", StringComparison.Ordinal) || n.EndsWith(LedgerKeyFile.Name, StringComparison.Ordinal));

        // A flipped bit, a half file, a file of something else.
        var bytes = await File.ReadAllBytesAsync(full);
        foreach (var at in new[] { bytes.Length / 3, bytes.Length / 2, bytes.Length * 2 / 3 })
        {
            var changed = (byte[])bytes.Clone();
            changed[at] ^= 0x10;
            await RefusedAsync(folder, changed);
        }

        await RefusedAsync(folder, bytes[..(bytes.Length / 2)]);
        await RefusedAsync(folder, "no backup"u8.ToArray());

        Sql.Execute(Path.Combine(site.Store, "gateway.db"), "UPDATE schema SET version = 99, oldest_reader = 99");
        var copy = Path.Combine(folder, "newer.db");
        StoreCopy.MakeOf(new StoreFiles(site.Store), copy);
        var newer = Path.Combine(folder, "newer.tar.gz");
        BackupWriter.Write(newer, site.Load(), site.Configuration, copy, withKeys: true, TimeProvider.System);
        var e = Assert.Throws<InvalidDataException>(() => new Restorer(newer, Path.Combine(folder, "elsewhere", "gateway.yaml"), TimeProvider.System).Plan());
        Assert.Contains("newer", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "elsewhere")));
    }

    [Fact]
    public async Task An_upgrade_is_told_beforehand_whether_it_can_go_on_and_afterwards_whether_it_works()
    {
        await using var site = await ServeAsync(Mosquitto.FreePort());
        var (none, _, words) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration, "--wait-healthy", "0");
        Assert.Equal(1, none);
        Assert.Contains("no gateway runs", words, StringComparison.Ordinal);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            // The broker is away: no fault of the program.
            var (healthy, said, errors) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration, "--wait-healthy", "60");
            Assert.True(healthy == 0, $"{said}\n{errors}\n{gateway.Log}");
            await gateway.StatusHoldsAsync(s => s.Outbox.Rows > 2, "rows wait");
            var (running, told, _) = await GatewayProcess.CommandAsync("check", site.Configuration, "--upgrade");
            Assert.True(running == 0, told);
            Assert.Contains("can take over the store", told, StringComparison.Ordinal);

            // The file was edited and not taken over: not what was asked for.
            site.Configure(Text.Replace("windows: [5s, 15s]", "windows: [5s, 30s]", StringComparison.Ordinal));
            var (other, _, not) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration, "--wait-healthy", "0");
            Assert.Equal(1, other);
            Assert.Contains("is in force, and the file says", not, StringComparison.Ordinal);
            site.Configure(Text);
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        Sql.Execute(Path.Combine(site.Store, "gateway.db"), "UPDATE schema SET version = 99, oldest_reader = 99");
        var (refused, verdict, _) = await GatewayProcess.CommandAsync("check", site.Configuration, "--upgrade");
        Assert.Equal(2, refused);
        Assert.Contains("needs schema 99", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wipe_deletes_what_it_says_and_has_the_broker_forget_the_gateway()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var site = await ServeAsync(broker.Port);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Delivered > 5, "records leave");
            var (busy, _, errors) = await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-1");
            Assert.Equal(1, busy);
            Assert.Contains("Another gateway", errors, StringComparison.Ordinal);
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        Assert.NotEmpty(await RetainedAsync(broker));
        var before = Content(site);
        Assert.Equal(1, (await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-2")).ExitCode);
        Assert.Equal(before, Content(site));

        await File.WriteAllTextAsync(Path.Combine(site.Store, "notes.txt"), "of a person");
        var certificate = Path.Combine(Path.GetDirectoryName(site.Configuration)!, "certificate.txt");
        var (code, words, wrong) = await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-1", "--certificate", certificate);
        Assert.True(code == 0, $"{words}\n{wrong}");
        Assert.Equal("notes.txt", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(site.Store))));
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(site.Configuration)!, "secrets", "broker")));
        Assert.Empty(await RetainedAsync(broker));
        var account = await File.ReadAllTextAsync(certificate);
        Assert.Contains("gateway.db", account, StringComparison.Ordinal);
        Assert.Contains("notes.txt: not made by the gateway", account, StringComparison.Ordinal);
        Assert.DoesNotContain("NOT ", account, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_takes_the_secrets_that_the_configuration_names_and_says_which_it_left()
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var other = Path.Combine(folder, "secrets", "of-another-program");
        await File.WriteAllTextAsync(other, "not ours");
        var backup = Path.Combine(folder, "backup.tar.gz");
        var manifest = Write(site, backup);
        Assert.Contains(manifest.NotIncluded, left => left.StartsWith(other, StringComparison.Ordinal));
        Assert.Contains("configuration/secrets/broker", Names(backup));
        Assert.DoesNotContain("configuration/secrets/of-another-program", Names(backup));

        var (code, words, errors) = await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-1");
        Assert.True(code is 0 or 1, errors);
        Assert.Contains($"{other}: the configuration does not name it", words, StringComparison.Ordinal);
        Assert.True(File.Exists(other));
        Assert.False(File.Exists(Path.Combine(folder, "secrets", "broker")));
    }

    [Fact]
    public async Task A_backup_that_does_not_hold_what_was_written_does_not_take_the_place_of_the_one_before()
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var backup = Path.Combine(folder, "backup.tar.gz");
        Write(site, backup);
        var before = await File.ReadAllBytesAsync(backup);

        // A file that is another one at each reading, as one on a bad card.
        File.Delete(Path.Combine(folder, "secrets", "broker"));
        File.CreateSymbolicLink(Path.Combine(folder, "secrets", "broker"), "/proc/sys/kernel/random/uuid");
        var e = Assert.Throws<IOException>(() => Write(site, backup));
        Assert.Contains("does not hold what was written", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(backup));
        Assert.False(File.Exists(backup + ".part"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restore_that_cannot_write_the_configuration_leaves_everything_as_it_was(bool isMidway)
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var backup = Path.Combine(folder, "backup.tar.gz");
        Write(site, backup);
        await File.AppendAllTextAsync(site.Configuration, "# edited since\n");
        var before = Content(site);
        var restorer = new Restorer(backup, site.Configuration, TimeProvider.System);
        var plan = restorer.Plan();
        if (isMidway)
        {
            // A directory where the new file goes is in the way when the store has been moved already; one where it waits, before that.
            plan = plan with { Steps = [.. plan.Steps.Select(s => s.From.Path == BackupNames.GatewayText ? s with { To = Occupied(folder), Replaces = false } : s)] };
        }
        else
        {
            Directory.CreateDirectory(site.Configuration + ".restoring/in-the-way");
        }

        Assert.ThrowsAny<SystemException>(() => restorer.Run(plan));
        Assert.Equal(before, Content(site));
        Assert.Empty(Directory.GetDirectories(site.Store, "re*"));
        Assert.EndsWith("# edited since\n", await File.ReadAllTextAsync(site.Configuration), StringComparison.Ordinal);
        using var store = SqliteStore.Open(site.Load().Model.Storage, ["centre"], TimeProvider.System);
        Assert.Null(store.Recover().Report);
    }

    [Fact]
    public async Task A_wipe_after_a_restore_leaves_no_copy_of_a_secret_that_was_set_aside_or_was_being_written()
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var backup = Path.Combine(folder, "backup.tar.gz");
        Write(site, backup);
        await File.WriteAllTextAsync(Path.Combine(folder, "secrets", "broker"), "another secret");
        var (code, _, errors) = await GatewayProcess.CommandAsync("restore", backup, "--config", site.Configuration, "--replace");
        Assert.True(code == 0, errors);
        var aside = Assert.Single(Directory.GetFiles(Path.Combine(folder, "secrets"), "broker.replaced-*"));
        Assert.Equal("another secret", await File.ReadAllTextAsync(aside));
        var half = Path.Combine(folder, "secrets", "broker.restoring");
        await File.WriteAllTextAsync(half, "secr");
        Assert.Single(Directory.GetDirectories(site.Store, "replaced-*"));

        // The broker is away, which is told; everything on this computer goes.
        (code, var words, errors) = await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-1");
        Assert.True(code == 1, $"{words}\n{errors}");
        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "secrets")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(site.Store));
        foreach (var gone in new[] { aside, half })
        {
            Assert.Contains($"deleted      {gone} (", words, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("does not name it", words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_restore_that_was_cut_off_left_is_no_store_and_what_remains_of_one_is()
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var backup = Path.Combine(folder, "backup.tar.gz");
        Write(site, backup);
        var elsewhere = Path.Combine(folder, "elsewhere", "gateway.yaml");
        var store = Directory.CreateDirectory(Path.Combine(folder, "elsewhere", "data")).FullName;
        foreach (var left in new[] { "gateway.db.restoring", "gateway.ledger-key.pem.restoring", "gateway.lock", "gateway.pid" })
        {
            await File.WriteAllTextAsync(Path.Combine(store, left), "half");
        }

        var restorer = new Restorer(backup, elsewhere, TimeProvider.System);
        var plan = restorer.Plan();
        Assert.False(plan.HasStore);
        Assert.Empty(plan.Replaced);

        // A write-ahead log alone would become part of another store.
        var log = Path.Combine(store, "gateway.db-wal");
        await File.WriteAllTextAsync(log, "log");
        Assert.True(restorer.Plan().HasStore);
        File.Delete(log);

        Assert.Null(restorer.Run(plan).Aside);
        Assert.Empty(Directory.GetFiles(store, "*.restoring"));
        Assert.True(restorer.Plan().HasStore);
    }

    [RootFact]
    public async Task What_root_restores_the_service_can_read_and_secrets_that_systemd_hands_over_stay_roots()
    {
        await using var site = await StoppedAsync();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        await File.WriteAllTextAsync(Path.Combine(folder, "own.key"), "a key");
        await File.WriteAllTextAsync(Path.Combine(folder, "own.pem"), "a certificate");
        File.SetUnixFileMode(Path.Combine(folder, "own.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        site.Configure(Text.Replace("servers: [", "certificateFile: own.pem, keyFile: own.key, servers: [", StringComparison.Ordinal));
        var backup = Path.Combine(folder, "backup.tar.gz");
        Write(site, backup);

        // As the package makes them; 65534 and 65533 stand in the places of the service's user and group.
        var etc = Directory.CreateDirectory(Path.Combine(folder, "etc")).FullName;
        var store = Directory.CreateDirectory(Path.Combine(etc, "data")).FullName;
        Assert.Equal(0, (await PackageTests.RunAsync("sh", ["-c", "chmod 755 \"$1\" && chown 0:65533 \"$2\" && chmod 750 \"$2\" && chown 65534:65533 \"$3\" && chmod 700 \"$3\"", "sh", folder, etc, store])).ExitCode);
        var (code, words, errors) = await GatewayProcess.CommandAsync("restore", backup, "--config", Path.Combine(etc, "gateway.yaml"));
        Assert.True(code == 0, $"{words}\n{errors}");

        string[] needed = ["gateway.yaml", .. Directory.GetFiles(Path.Combine(etc, "device-profiles")), "own.key", "own.pem", "data/gateway.db", "data/gateway.lock", $"data/{LedgerKeyFile.Name}"];
        foreach (var file in needed)
        {
            var (read, why) = await AsServiceAsync("test", "-r", Path.Combine(etc, file));
            Assert.True(read == 0, $"{file} {why}");
        }

        Assert.Equal(0, (await AsServiceAsync("test", "-w", Path.Combine(store, "gateway.db"))).ExitCode);
        Assert.Equal(0, (await AsServiceAsync("test", "-w", Path.Combine(store, "gateway.lock"))).ExitCode);
        Assert.NotEqual(0, (await AsServiceAsync("test", "-r", Path.Combine(etc, "secrets", "broker"))).ExitCode);
        Assert.Equal("0 600", (await PackageTests.RunAsync("stat", ["-c", "%u %a", Path.Combine(etc, "secrets", "broker")])).Said.Trim());
    }

    [Fact]
    public async Task A_wipe_asks_a_person_for_the_gateways_id_and_does_nothing_for_another_answer()
    {
        await using var site = await StoppedAsync();
        var before = Content(site);
        foreach (var answer in new[] { "gw-2\r", "y\r", "\r" })
        {
            var (refused, read, errors) = await GatewayProcess.AtTerminalAsync([("Type the gateway's id to go on: ", answer)], "wipe", "--config", site.Configuration);
            Assert.True(refused == 1, $"{answer}: {refused} {read}\n{errors}");
            Assert.Contains("This deletes for good:", read, StringComparison.Ordinal);
            Assert.Contains("gateway.db (", read, StringComparison.Ordinal);
            Assert.Equal(before, Content(site));
            Assert.Contains("Nothing was wiped: '", read, StringComparison.Ordinal);
        }

        // With nobody to ask it does nothing either.
        var (code, said) = await PackageTests.RunAsync("sh", ["-c", "echo gw-1 | dotnet \"$0\" wipe --config \"$1\"", GatewayProcess.Program, site.Configuration]);
        Assert.Equal(1, code);
        Assert.Contains("there is nobody to ask. Add --yes gw-1", said, StringComparison.Ordinal);
        Assert.Equal(before, Content(site));

        var (exit, told, wrong) = await GatewayProcess.AtTerminalAsync([("Type the gateway's id to go on: ", "gw-1\r")], "wipe", "--config", site.Configuration);
        Assert.True(exit == 1, $"{told}\n{wrong}"); // The broker is away, which is told.
        Assert.Contains("NOT REMOVED  retained messages of uplink centre", told, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(site.Store));
    }

    [RootFact]
    public async Task A_command_of_root_before_the_first_start_leaves_a_lock_that_the_service_can_take()
    {
        await using var site = await ServeAsync(Mosquitto.FreePort());
        Directory.CreateDirectory(site.Store);
        Assert.Equal(0, (await PackageTests.RunAsync("chown", ["65534:65533", site.Store])).ExitCode);
        Assert.Equal(1, (await GatewayProcess.CommandAsync("wipe", "--config", site.Configuration, "--yes", "gw-2")).ExitCode);
        Assert.Equal("65534:65533", (await PackageTests.RunAsync("stat", ["-c", "%u:%g", Path.Combine(site.Store, "gateway.lock")])).Said.Trim());
    }

    [Fact]
    public async Task A_copy_that_a_backup_left_goes_when_the_store_is_opened_and_one_that_is_being_packed_stays()
    {
        await using var site = await StoppedAsync();
        var copy = new StoreFiles(site.Store).Copy;
        var (old, young) = ($"{copy}-{Guid.NewGuid():N}", $"{copy}-{Guid.NewGuid():N}");
        foreach (var path in new[] { old, young })
        {
            await File.WriteAllTextAsync(path, "a copy");
        }

        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-4));
        SqliteStore.Open(site.Load().Model.Storage, ["centre"], TimeProvider.System).Dispose();
        Assert.Equal((false, true), (File.Exists(old), File.Exists(young)));
    }

    private static Task<(int ExitCode, string Said)> AsServiceAsync(params string[] command) => PackageTests.RunAsync("setpriv", ["--reuid", "65534", "--regid", "65533", "--clear-groups", .. command]);

    private static string Occupied(string folder) => Directory.CreateDirectory(Path.Combine(folder, "occupied", "by-something")).Parent!.FullName;

    /// <summary>A gateway that has run and has been stopped; no broker.</summary>
    private static async Task<GatewaySite> StoppedAsync()
    {
        var site = await ServeAsync(Mosquitto.FreePort());
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Outbox.Rows > 2, "rows wait");
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        return site;
    }

    private static BackupManifest Write(GatewaySite site, string backup)
    {
        var copy = backup + ".store";
        StoreCopy.MakeOf(new StoreFiles(site.Store), copy);
        try
        {
            return BackupWriter.Write(backup, site.Load(), site.Configuration, copy, withKeys: true, TimeProvider.System);
        }
        finally
        {
            StoreCopy.Delete(copy);
        }
    }

    private static async Task<GatewaySite> ServeAsync(int broker)
    {
        var site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), broker, profiles: LoadSite.Profile);
        var secrets = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(site.Configuration)!, "secrets")).FullName;
        await File.WriteAllTextAsync(Path.Combine(secrets, "broker"), "secret");
        File.SetUnixFileMode(Path.Combine(secrets, "broker"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        site.Configure(Text);
        return site;
    }

    private static async Task RefusedAsync(string folder, byte[] bytes)
    {
        var path = Path.Combine(folder, "changed.tar.gz");
        await File.WriteAllBytesAsync(path, bytes);
        Assert.Throws<InvalidDataException>(() => new Restorer(path, Path.Combine(folder, "elsewhere", "gateway.yaml"), TimeProvider.System).Plan());
        Assert.False(Directory.Exists(Path.Combine(folder, "elsewhere")));
    }

    private static string[] Names(string backup)
    {
        using var archive = new TarReader(new GZipStream(File.OpenRead(backup), CompressionMode.Decompress));
        List<string> names = [];
        while (archive.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name);
        }

        return [.. names];
    }

    private static async Task<string[]> RetainedAsync(Mosquitto broker)
    {
        var topics = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var client = new MqttClient(new MqttClientOptions { Servers = [broker.Uri], ClientId = "auditor" }, TimeProvider.System)
        {
            MessageReceived = (message, _) =>
            {
                topics.Enqueue(message.Topic);
                return ValueTask.CompletedTask;
            },
        };
        _ = client.RunAsync(CancellationToken.None);
        Assert.True((await client.SubscribeAsync("edgegateway/#").AsTask().WaitAsync(Until.Limit)).Granted);

        // What the broker keeps it sends before it takes this one's own message, which closes the list.
        await client.PublishAsync("edgegateway/end", "x"u8.ToArray());
        await Until.HoldsAsync(() => topics.Contains("edgegateway/end"), "the list is closed", () => broker.Log);
        return [.. topics.Where(t => t != "edgegateway/end").Distinct()];
    }

    private static (string, string)[] Content(GatewaySite site) =>
        [.. Directory.EnumerateFiles(site.Store, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) is not ("gateway.sock" or "gateway.lock" or "gateway.pid")).Order()
            .Select(f => (f, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))))];
}
