using System.Text;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Doctoring;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Tests.Doctoring;

/// <summary>A healthy machine, and sick ones: what is wrong is found, with the cure, and what cannot be seen is not called well.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly Machine _machine = new();

    [Fact]
    public async Task A_healthy_machine_is_well_and_every_check_says_so()
    {
        var document = await _machine.LookAsync();

        Assert.Equal("", string.Join('\n', document.Findings.Where(f => f.Verdict != "ok").Select(f => $"{f.Check}: {f.Verdict}: {f.What} {f.Cure}")));
        Assert.Equal(("ok", 0), (document.Verdict, Doctor.ExitCode(document)));
        Assert.Equal(Checks.All.Select(c => c.Name), document.Findings.Select(f => f.Check).Distinct());
        Assert.Contains("in the groups dialout, gpio", Line(document, "permissions").What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_leaves_the_gateways_own_session_alone()
    {
        await _machine.LookAsync();

        // CONNECT, MQTT 5.0, 3.1.2: name and version, flags (user, password, clean start; no will), and the client id with an ending of its own.
        var sent = Encoding.UTF8.GetString(_machine.Sent);
        Assert.Contains("edgegateway-gw-01-doctor", sent, StringComparison.Ordinal);
        Assert.Contains(Machine.Password, sent, StringComparison.Ordinal);
        var flags = _machine.Sent[_machine.Sent.AsSpan().IndexOf("MQTT"u8) + 5];
        Assert.Equal(0b1100_0010, flags);
    }

    [Fact]
    public async Task A_refused_password_is_a_fault_at_the_broker()
    {
        _machine.Answer = 0x86;
        var line = await SickAsync("broker", "fault");
        Assert.StartsWith("Uplink centre: mqtts://centre.example:8883: the server refused the connection", line.What, StringComparison.Ordinal);
        Assert.Contains("Check 'username' and the file of the password", line.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_takes_one_client_only_is_no_fault_while_the_gateway_is_connected()
    {
        // MQTT 5.0, 3.2.2.2: client identifier not valid.
        _machine.Answer = 0x85;
        _machine.Running = s => s with { Uplinks = [new UplinkDocument { Id = "centre", Connected = true, Problem = "", Delivered = 1, InFlight = 0, Backlog = 0, BackfillSeconds = null }] };
        Assert.Contains("does not take a second client", (await SickAsync("broker", "notice")).What, StringComparison.Ordinal);

        // Not authorized: perhaps the password was changed, and the gateway's next connection would fail.
        _machine.Answer = 0x87;
        Assert.Contains("When its password was changed since", (await SickAsync("broker", "warning")).Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_that_was_pulled_is_a_fault_of_its_bus()
    {
        _machine.Tree.Remove("dev/serial/by-id/usb-FTDI-if00-port0").Remove("dev/ttyUSB0");
        var line = await SickAsync("serial", "fault");
        Assert.Equal("Bus conveyor cannot use its port /dev/serial/by-id/usb-FTDI-if00-port0", line.What);
        Assert.Contains("no serial port is there. Is the adapter plugged in", line.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_that_no_driver_has_taken_does_not_end_the_look()
    {
        _machine.Tree.Remove("sys/class/tty/ttyUSB0/device/driver");
        Assert.Equal("Bus conveyor: /dev/serial/by-id/usb-FTDI-if00-port0 is there and may be opened", Line(await _machine.LookAsync(), "serial").What);
    }

    [Fact]
    public async Task A_disk_that_the_kernel_made_read_only_after_errors_is_a_fault()
    {
        _machine.Tree.File("proc/self/mountinfo", "22 1 179:2 / / ro,noatime shared:1 - ext4 /dev/mmcblk0p2 ro\n").File("sys/fs/ext4/mmcblk0p2/errors_count", "7\n");
        var lines = (await _machine.LookAsync()).Findings.Where(f => f is { Check: "disk", Verdict: "fault" }).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.Contains("is mounted so that it can only be read", lines[0].What, StringComparison.Ordinal);
        Assert.Equal("The kernel has found 7 errors in the file system /dev/mmcblk0p2", lines[1].What);
    }

    [Theory]
    [InlineData("tmpfs", "fault", "gone when the power goes")]
    [InlineData("nfs4", "fault", "does not keep the promises")]
    [InlineData("overlay", "warning", "may be gone after a restart")]
    public async Task A_file_system_that_does_not_keep_what_is_written_is_said(string kind, string verdict, string words)
    {
        _machine.Tree.File("proc/self/mountinfo", $"22 1 0:40 / / rw shared:1 - {kind} none rw\n");
        var document = await _machine.LookAsync();
        Assert.Contains(document.Findings, f => f.Check == "disk" && f.Verdict == verdict && f.What.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(12, "warning")]
    [InlineData(3, "fault")]
    public async Task A_full_disk_is_said_before_it_is_full(int freePercent, string verdict)
    {
        _machine.Space = (freePercent, 100);
        Assert.Contains($"is {100 - freePercent} % full", (await SickAsync("disk", verdict)).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1\n", "fault", "The supply is too low now")]
    [InlineData("50000\n", "warning", "The supply was too low since the start")]
    [InlineData("4\n", "warning", "The processor is slowed down now (get_throttled 0x4)")]
    [InlineData("40000\n", "notice", "The processor was slowed down since the start (get_throttled 0x40000)")]
    public async Task A_low_supply_is_told_by_the_firmware(string word, string verdict, string what)
    {
        _machine.Tree.File("sys/devices/platform/soc/soc:firmware/get_throttled", word);
        Assert.Equal(what, (await SickAsync("power", verdict)).What);
    }

    [Fact]
    public async Task A_clock_that_nobody_keeps_is_a_warning_and_one_of_long_ago_a_fault()
    {
        _machine.Facts = new ClockFacts(false, false, null);
        Assert.Contains("there is no clock chip with a battery", (await SickAsync("clock", "warning")).What, StringComparison.Ordinal);

        _machine.Time.SetUtcNow(new DateTimeOffset(2019, 2, 14, 10, 0, 0, TimeSpan.Zero));
        Assert.Contains(await FindAsync("clock"), f => f.Verdict == "fault" && f.What.StartsWith("The clock says 2019-02-14 10:00Z, which is long ago", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(10, "warning", "ends in 10 days, on 2026-01-11 00:00Z")]
    [InlineData(-1, "fault", "ended on 2025-12-31 00:00Z")]
    public async Task A_certificate_that_ends_is_said_thirty_days_before(int days, string verdict, string words)
    {
        _machine.Certify("gateway", _machine.Time.GetUtcNow().AddDays(days));
        var line = await SickAsync("certificates", verdict);
        Assert.Contains(words, line.What, StringComparison.Ordinal);
        Assert.Contains("it is read at the next connection", line.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_authority_of_the_collector_is_looked_at_too()
    {
        _machine.Configure("uplinks:", "telemetry: { otlp: { endpoint: \"https://collector.example:4318\", caFile: site-ca.pem } }\nuplinks:");
        Assert.Contains("the caFile of telemetry.otlp does not exist", (await SickAsync("configuration", "fault")).What, StringComparison.Ordinal);
        _machine.Write("site-ca.pem", "-----BEGIN NOTHING-----\n");
        Assert.Contains("the caFile of telemetry.otlp holds no certificate", (await SickAsync("configuration", "fault")).What, StringComparison.Ordinal);
        _machine.Certify("site-ca", _machine.Time.GetUtcNow().AddDays(10));
        var line = await SickAsync("certificates", "warning");
        Assert.StartsWith("The authority of the collector (CN=site-ca) ends in 10 days", line.What, StringComparison.Ordinal);
        Assert.Contains("it is read at the next start", line.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_not_the_certificates_is_a_fault()
    {
        _machine.Certify("other", _machine.Time.GetUtcNow().AddDays(100));
        File.Copy(_machine.At("other.key"), _machine.At("gateway.key"), overwrite: true);
        Assert.Contains("and its key cannot be used", (await SickAsync("certificates", "fault")).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0x09 0x01\n", "0x01\n", "warning", "At most 90 % of the life of the storage are used")]
    [InlineData("0x0b 0x01\n", "0x01\n", "fault", "The storage has outlived the life that its maker estimated")]
    [InlineData("0x01 0x01\n", "0x03\n", "fault", "The reserve blocks of the storage are nearly used up (urgent)")]
    public async Task A_worn_card_is_said(string life, string reserve, string verdict, string what)
    {
        _machine.Tree.File("sys/devices/mmc/block/mmcblk0/device/life_time", life).File("sys/devices/mmc/block/mmcblk0/device/pre_eol_info", reserve);
        Assert.Equal(what, (await SickAsync("wear", verdict)).What);
    }

    [Fact]
    public async Task A_hot_processor_is_said()
    {
        _machine.Tree.File("sys/class/thermal/thermal_zone0/temp", "86000\n");
        Assert.Equal("The processor has 86 °C", (await SickAsync("heat", "fault")).What);
    }

    [Fact]
    public async Task A_port_that_another_program_took_keeps_the_gateway_from_starting()
    {
        _machine.Running = null;
        Assert.Contains("is in use by another program", Line(await _machine.LookAsync(), "ports").What, StringComparison.Ordinal);
        Assert.Equal("fault", Line(await _machine.LookAsync(), "ports").Verdict);
    }

    [Fact]
    public async Task A_cable_that_is_out_is_a_fault_of_the_network()
    {
        _machine.Tree.File("sys/class/net/eth0/operstate", "down\n").File("proc/net/route", "Iface\tDestination\tGateway\tFlags\n").File("etc/resolv.conf", "");
        var lines = (await _machine.LookAsync()).Findings.Where(f => f.Check == "network").ToArray();
        Assert.Equal(["fault", "warning", "fault"], lines.Select(l => l.Verdict));
        Assert.Equal("No network interface is up: eth0 is down", lines[0].What);
        Assert.StartsWith("There is no name server, so that centre.example cannot be found", lines[2].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_of_another_version_or_configuration_is_said()
    {
        _machine.Running = s => s with { Version = "1.1.0", Configuration = new string('a', 64) };
        var lines = (await _machine.LookAsync()).Findings.Where(f => f.Check == "version").ToArray();
        Assert.Equal("The running gateway is version 1.1.0, this program is 1.2.0", lines[0].What);
        Assert.Equal(("notice", true), (lines[1].Verdict, lines[1].Cure.Contains("edgegateway reload", StringComparison.Ordinal)));

        _machine.Running = s => s;
        _machine.Tree.Link("proc/4242/exe", "usr/lib/edgegateway/edgegateway (deleted)");
        Assert.Equal("The file of the running gateway was replaced since it started", (await SickAsync("version", "warning")).What);
    }

    [Fact]
    public async Task An_upgrade_that_the_package_took_back_is_said_with_the_command_that_settles_it()
    {
        // As hardware/package/debian/postinst writes it.
        _machine.Tree.File(
            "usr/lib/edgegateway.rolled-back/message",
            """
            edgegateway: 1.3.0 was rolled back: it did not come up, or did not stay (the log: journalctl -u edgegateway).
            edgegateway: the program is 1.2.0 again, with its readings, totals and what waits to leave; no reading was deleted.
            edgegateway: to settle it: sudo apt install --allow-downgrades ./edgegateway_1.2.0_*.deb, or a later version.

            """);
        var line = (await _machine.LookAsync()).Findings.First(f => f.Check == "version");
        Assert.Equal("warning", line.Verdict);
        Assert.StartsWith("The package took an upgrade back: 1.3.0 was rolled back: it did not come up", line.What, StringComparison.Ordinal);
        Assert.Equal("sudo apt install --allow-downgrades ./edgegateway_1.2.0_*.deb, or a later version.", line.Cure);
    }

    [Fact]
    public async Task What_the_running_gateway_says_of_itself_comes_with_its_cures()
    {
        _machine.Running = s => s with
        {
            Problems = ["Device belt on bus conveyor: no answer"],
            LikelyCauses = [new CauseDocument("conveyor", "belt", "never answers", "check its power")],
            Storage = s.Storage! with { Integrity = "damaged", IntegrityFinding = "page 7", WatermarkPercent = 85, Lost = new Dictionary<string, long> { ["evicted"] = 12 } },
        };
        var document = await _machine.LookAsync();
        Assert.Contains(document.Findings, f => f is { Check: "gateway", What: "Bus conveyor, device belt: never answers", Cure: "check its power" });
        Assert.Equal(["ok", "warning", "fault", "notice"], document.Findings.Where(f => f.Check == "store").Select(f => f.Verdict));
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_used_is_a_fault_and_leaves_the_rest_to_be_looked_at()
    {
        _machine.Configure("profile: eastron-sdm630", "profile: eastron-sdm360");
        var document = await _machine.LookAsync();
        Assert.Equal(2, Doctor.ExitCode(document));
        Assert.Contains(document.Findings, f => f is { Check: "configuration", Verdict: "fault" } && f.What.Contains("eastron-sdm360", StringComparison.Ordinal));
        Assert.Equal("not-checked", Line(document, "broker").Verdict);
        Assert.Equal("ok", Line(document, "heat").Verdict);
    }

    [Fact]
    public async Task Others_who_can_look_into_the_store_or_the_secrets_are_said()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        File.SetUnixFileMode(_machine.Store, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(_machine.At("mqtt.password"), (UnixFileMode)0b110_100_000);
        var lines = (await _machine.LookAsync()).Findings.Where(f => f.Check == "permissions").ToArray();
        Assert.Contains(lines, f => f.Verdict == "warning" && f.What.EndsWith("(mode 0755)", StringComparison.Ordinal) && f.Cure.Contains("chmod 700", StringComparison.Ordinal));
        Assert.Contains(lines, f => f.Verdict == "notice" && f.What.StartsWith("Not only its owner can use the passwordFile of uplink centre", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_at_rest_is_read_and_not_touched_and_damage_in_it_is_found()
    {
        _machine.Running = null;
        _machine.Tree.File("proc/net/tcp", "  sl  local_address rem_address   st\n");
        Assert.Equal("notice", Line(await _machine.LookAsync(), "store").Verdict);

        var patient = _machine.Patient();
        SqliteStore.Open(patient.Site!.Model.Storage with { BudgetBytes = 64 << 20, SampleLogBytes = 8 << 20 }, ["centre"], TimeProvider.System).Dispose();
        var before = Directory.GetFiles(_machine.Store).Order().Select(f => (f, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))))).ToArray();
        var sound = Line(await _machine.LookAsync(), "store");
        Assert.Equal(("ok", true), (sound.Verdict, sound.What.Contains("gateway.db is sound", StringComparison.Ordinal)));
        Assert.Equal(before, Directory.GetFiles(_machine.Store).Order().Select(f => (f, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))))));

        // A page of a table becomes noise.
        var path = Path.Combine(_machine.Store, "gateway.db");
        var whole = await File.ReadAllBytesAsync(path);
        var damaged = (byte[])whole.Clone();
        new Random(7).NextBytes(damaged.AsSpan(3 * 4096, 4096));
        await File.WriteAllBytesAsync(path, damaged);
        Assert.StartsWith("The store is damaged", (await SickAsync("store", "fault")).What, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(path, whole);
        using (var db = Database.OpenWriter(path, StoreLimits.For(64 << 20).Sqlite))
        {
            db.Execute("UPDATE schema SET oldest_reader = 99; PRAGMA user_version = 99");
        }

        Assert.StartsWith("The store is of a newer program", (await SickAsync("store", "fault")).What, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, "");
        Assert.Contains("is missing or empty although", (await SickAsync("store", "fault")).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_looked_at_is_not_called_well()
    {
        foreach (var folder in (string[])["proc", "sys", "dev", "etc"])
        {
            _machine.Tree.Remove(folder);
        }

        _machine.Facts = new ClockFacts(false, true, null) { IsRefused = true };
        var document = await _machine.LookAsync();
        foreach (var check in (string[])["power", "heat", "wear", "clock", "gpio", "ports", "network"])
        {
            Assert.Contains(document.Findings, f => f.Check == check && f.Verdict == "not-checked" && f.What.Length > 20);
            Assert.DoesNotContain(document.Findings, f => f.Check == check && f.Verdict == "ok" && check is not "wear");
        }
    }

    [Fact]
    public async Task Json_has_the_published_names()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(await _machine.LookAsync(), DoctorJson.Default.DoctorDocument));
        Assert.Equal(["verdict", "at", "version", "configuration", "findings"], json.RootElement.EnumerateObject().Select(m => m.Name));
        Assert.Equal(["check", "verdict", "what", "cure"], json.RootElement.GetProperty("findings")[0].EnumerateObject().Select(m => m.Name));
    }

    [Fact]
    public async Task Every_line_that_is_not_well_has_a_cure()
    {
        _machine.Answer = 0x86;
        _machine.Running = null;
        _machine.Space = (1, 100);
        _machine.Facts = new ClockFacts(false, false, null);
        _machine.Tree.Remove("dev/serial").Remove("dev/ttyUSB0").File("sys/devices/platform/soc/soc:firmware/get_throttled", "5\n").File("sys/class/net/eth0/operstate", "down\n");
        Assert.All((await _machine.LookAsync()).Findings.Where(f => f.Verdict is "notice" or "warning" or "fault"), f => Assert.NotEqual("", f.Cure));
    }

    public void Dispose() => _machine.Dispose();

    /// <summary>The one line of a check that is not well, when it has the verdict.</summary>
    private async Task<FindingDocument> SickAsync(string check, string verdict)
    {
        var line = Assert.Single(await FindAsync(check));
        Assert.Equal(verdict, line.Verdict);
        Assert.NotEqual("", line.Cure);
        return line;
    }

    private async Task<FindingDocument[]> FindAsync(string check) => [.. (await _machine.LookAsync()).Findings.Where(f => f.Check == check && f.Verdict is not ("ok" or "not-checked"))];

    private static FindingDocument Line(DoctorDocument document, string check) => document.Findings.First(f => f.Check == check);
}
