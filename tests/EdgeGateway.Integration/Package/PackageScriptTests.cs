using System.Runtime.Versioning;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Package;

/// <summary>
/// The package's scripts on a root of their own (dpkg's <c>DPKG_ROOT</c>), with doubles of systemd, dpkg and the program: how an upgrade that does not come up is taken back.
/// With a real dpkg and a real systemd it is the long test of <see cref="PackageTests"/>.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class PackageScriptTests : IDisposable
{
    private const string Good = "case \"$1\" in status) echo Healthy ;; esac";
    private const string DoesNotStart = "# spoilt\ncase \"$1\" in status) exit 1 ;; esac";
    private const string Refuses = "case \"$1\" in check) echo 'gateway.yaml:3:1: error: unknown key'; exit 2 ;; esac";

    private const string NotHealthy = "case \"$*\" in 'status --wait-healthy '*) echo 'Not healthy after 5 s: the store is in the state failing.' >&2; exit 1 ;; esac";
    private const string RefusesStore = "case \"$*\" in 'check --upgrade '*) echo 'gateway.yaml: usable'; echo '  The store needs schema 99'; echo '  version 2.0 cannot take over the store in data'; exit 2 ;; esac";

    // Its store is failing: it says so, and only 'status --wait-healthy --before' can tell that this is not new. What it compares with, it writes into a file.
    private const string Sick = """
        case "$*" in
            'status --help') echo '  --before FILE' ;;
            'status --json '*) echo '{"storage":{"state":"failing"}}'; exit 1 ;;
            'status --wait-healthy '*' --before '*) for last in "$@"; do :; done; cat "$last" > "$DPKG_ROOT/compared"
                if grep -q failing "$last"; then echo 'Healthy after 5 s: version 2.0. Not mended, and as before: the store is in the state failing.'; else echo 'Not healthy: the store is in the state failing.'; exit 1; fi ;;
            'status --wait-healthy '*) echo 'Not healthy after 5 s: the store is in the state failing.'; exit 1 ;;
        esac
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("edgegateway-scripts-").FullName;

    public PackageScriptTests()
    {
        foreach (var folder in new[] { "bin", "run/systemd/system", "etc/edgegateway/secrets", "usr/lib/systemd/system", "usr/lib/edgegateway", "var/lib/edgegateway" })
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
        }

        Write("etc/edgegateway/gateway.yaml", "");
        foreach (var silent in new[] { "getent", "groupadd", "useradd", "usermod", "userdel", "chown", "udevadm", "deb-systemd-helper", "journalctl" })
        {
            Script($"bin/{silent}", "");
        }

        // The service fails when the program that lies there is spoilt; each restart is written down, and is another invocation.
        Script("bin/systemctl", """
            case "$*" in
                *ActiveState*) if grep -q spoilt "$DPKG_ROOT/usr/lib/edgegateway/edgegateway"; then echo failed; else echo active; fi ;;
                *MainPID*) echo 7 ;;
                *InvocationID*) wc -l < "$DPKG_ROOT/restarts" ;;
            esac
            """);
        Script("bin/deb-systemd-invoke", """echo "$*" >> "$DPKG_ROOT/restarts" """);
        Script("bin/dpkg-query", """if [ "$1" = -L ]; then cat "$DPKG_ROOT/files"; else cat "$DPKG_ROOT/version"; fi""");
        Write("restarts", "");
        Unpack("1.0", Good, "only-in-1.0");
        Write("usr/lib/systemd/system/edgegateway.service", "1.0");
    }

    [Fact]
    public async Task S_11_a_program_that_does_not_come_up_gives_way_to_the_one_before_until_a_good_one_is_installed()
    {
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", DoesNotStart);
        Write("usr/lib/systemd/system/edgegateway.service", "2.0");
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.Equal(1, code);
        Assert.Contains("edgegateway: 2.0 was rolled back: it did not come up", said, StringComparison.Ordinal);
        Assert.Contains("sudo apt install --allow-downgrades ./edgegateway_1.0_*.deb", said, StringComparison.Ordinal);
        Assert.Contains("edgegateway: 1.0 is up.", said, StringComparison.Ordinal);
        Assert.Contains(Good, Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
        Assert.Equal("1.0", Read("usr/lib/systemd/system/edgegateway.service"));
        Assert.True(Has("usr/lib/edgegateway/only-in-1.0"));
        Assert.Equal(2, Restarts);

        // apt configures a package that is not configured whenever it runs: it says the same, and nothing is restarted.
        (code, said) = await RunAsync("postinst", "configure", "1.0");
        Assert.Equal(1, code);
        Assert.Contains("edgegateway: 2.0 was rolled back", said, StringComparison.Ordinal);
        Assert.Equal(2, Restarts);

        // Another one that does not come up: the way back still leads to what ran, not to what dpkg unpacked last.
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "2.0")).ExitCode);
        Unpack("3.0", DoesNotStart);
        Assert.Contains("edgegateway: the program is 1.0 again", (await RunAsync("postinst", "configure", "1.0")).Said, StringComparison.Ordinal);

        // A good one settles it, and takes away what dpkg does not know of.
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "3.0")).ExitCode);
        Unpack("4.0", Good);
        (code, said) = await RunAsync("postinst", "configure", "1.0");
        Assert.True(code == 0, said);
        Assert.False(Has("usr/lib/edgegateway/only-in-1.0"));
        Assert.Equal(["edgegateway"], Directory.EnumerateDirectories(Path.Combine(_root, "usr/lib"), "edgegateway*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_program_that_refuses_the_configuration_is_put_away_and_the_service_not_restarted()
    {
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", Refuses);
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.Equal(1, code);
        Assert.Contains("edgegateway: 2.0 was rolled back: it refuses the configuration that 1.0 runs with: gateway.yaml:3:1: error: unknown key", said, StringComparison.Ordinal);
        Assert.Contains(Good, Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
        Assert.Equal(0, Restarts);
    }

    [Fact]
    public async Task A_program_that_runs_and_does_not_work_is_put_away_with_its_own_words()
    {
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", NotHealthy);
        var (code, said) = await RunAsync("postinst", "EDGEGATEWAY_HEALTH_LIMIT=2", "configure", "1.0");

        Assert.Equal(1, code);
        Assert.Contains("2.0 was rolled back: it did not come up, or did not stay (the log: journalctl -u edgegateway). Not healthy after 5 s: the store is in the state failing.", said, StringComparison.Ordinal);
        Assert.Contains("edgegateway: 1.0 is up.", said, StringComparison.Ordinal);
        Assert.Contains(Good, Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_wrong_before_an_upgrade_is_no_reason_to_take_it_back_and_is_told()
    {
        Unpack("1.0", Sick);
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_root, "usr/lib/edgegateway.previous/status")));
        Unpack("2.0", Sick + "\n# 2.0");
        var (code, said) = await RunAsync("postinst", "EDGEGATEWAY_HEALTH_LIMIT=2", "configure", "1.0");

        Assert.True(code == 0, said);
        Assert.Contains("Not mended, and as before: the store is in the state failing.", said, StringComparison.Ordinal);
        Assert.Contains("# 2.0", Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
        Assert.Equal("""{"storage":{"state":"failing"}}""", Read("compared").Trim());
        Assert.Equal(["edgegateway"], Directory.EnumerateDirectories(Path.Combine(_root, "usr/lib"), "edgegateway*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_was_well_before_an_upgrade_and_is_not_after_it_takes_it_back()
    {
        Unpack("1.0", Sick.Replace("failing\"}}'; exit 1", "ok\"}}'", StringComparison.Ordinal));
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", Sick + "\n# 2.0");
        var (code, said) = await RunAsync("postinst", "EDGEGATEWAY_HEALTH_LIMIT=2", "configure", "1.0");

        Assert.Equal(1, code);
        Assert.Contains("2.0 was rolled back", said, StringComparison.Ordinal);
        Assert.DoesNotContain("# 2.0", Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_that_does_not_know_how_to_leave_out_what_was_wrong_before_is_asked_as_it_can_be()
    {
        // Back by one version, to one that knows no --before.
        Unpack("2.0", Sick);
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "2.0")).ExitCode);
        Unpack("1.0", "case \"$*\" in *--before*) exit 1 ;; esac");
        var (code, said) = await RunAsync("postinst", "configure", "2.0");

        Assert.True(code == 0, said);
        Assert.False(Has("compared"));
    }

    [Fact]
    public async Task A_store_that_the_one_before_could_not_take_over_either_is_no_reason_against_the_new_one()
    {
        Unpack("1.0", RefusesStore);
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", RefusesStore + "\n# 2.0");
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.True(code == 0, said);
        Assert.Contains("# 2.0", Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
        Assert.Equal(1, Restarts);
    }

    [Fact]
    public async Task A_program_that_cannot_take_over_the_store_is_put_away_and_the_service_not_restarted()
    {
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", RefusesStore);
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.Equal(1, code);
        Assert.Contains("edgegateway: 2.0 was rolled back: it cannot go on with the store of 1.0: The store needs schema 99 version 2.0 cannot take over the store in data", said.Replace(":  ", ": ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains(Good, Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
        Assert.Equal(0, Restarts);
    }

    [Fact]
    public async Task The_store_of_a_gateway_that_does_not_run_is_no_reason_against_its_start()
    {
        Script("bin/systemctl", """case "$*" in *is-active*) exit 3 ;; *InvocationID*) wc -l < "$DPKG_ROOT/restarts" ;; esac""");
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", RefusesStore);
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.True(code == 0, said);
        Assert.Equal(1, Restarts);
    }

    [Fact]
    public async Task A_gateway_that_did_not_run_before_has_no_way_back()
    {
        Script("bin/systemctl", """case "$*" in *is-active*) exit 3 ;; *InvocationID*) wc -l < "$DPKG_ROOT/restarts" ;; esac""");
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", DoesNotStart);
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.True(code == 0, said);
        Assert.Equal(1, Restarts);
        Assert.Contains("spoilt", Read("usr/lib/edgegateway/edgegateway"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_restarts_are_forbidden_the_one_before_runs_on_and_that_is_said()
    {
        Script("bin/deb-systemd-invoke", ""); // invoke-rc.d(8): a policy that forbids it is no error
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Unpack("2.0", Good);
        var (code, said) = await RunAsync("postinst", "configure", "1.0");

        Assert.True(code == 0, said);
        Assert.Contains("edgegateway: 1.0 still runs", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4000, 1)] // 1,000 KiB of files and the room for dpkg's own
    [InlineData(40000, 0)]
    public async Task An_upgrade_without_room_is_refused_before_anything_is_touched(int free, int expected)
    {
        Script("bin/df", $"printf 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/root 60000 0 {free} 0%% /\\n'");
        var (code, said) = await RunAsync("preinst", "upgrade", "1.0");

        Assert.Equal(expected, code);
        Assert.Equal(expected == 1, said.Contains("3 MiB free, and 17 MiB are needed. Nothing was changed, and 1.0 runs on.", StringComparison.Ordinal));
        Assert.Equal(expected == 0, Has("usr/lib/edgegateway.previous"));
    }

    [Fact]
    public async Task An_upgrade_that_is_taken_back_by_dpkg_leaves_nothing_behind()
    {
        Assert.Equal(0, (await RunAsync("preinst", "upgrade", "1.0")).ExitCode);
        Assert.True(Has("usr/lib/edgegateway.previous"));
        Assert.Equal(0, (await RunAsync("postrm", "abort-upgrade", "1.0")).ExitCode);
        Assert.False(Has("usr/lib/edgegateway.previous"));
        Assert.True(Has("usr/lib/edgegateway/only-in-1.0"));
    }

    [Theory]
    [InlineData("yes", false)]
    [InlineData("no", true)]
    [InlineData("ask", true)] // nobody can be asked: there is no debconf in this root
    public async Task A_purge_deletes_readings_only_when_it_was_told_to(string answer, bool isKept)
    {
        Write("var/lib/edgegateway/gateway.db", "readings");
        var (code, said) = await RunAsync("postrm", $"EDGEGATEWAY_PURGE={answer}", "purge");

        Assert.True(code == 0, said);
        Assert.Equal(isKept, Has("var/lib/edgegateway/gateway.db"));
        Assert.Equal(isKept, said.Contains("the readings stay", StringComparison.Ordinal));
        Assert.False(Has("etc/edgegateway"));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private int Restarts => File.ReadAllLines(Path.Combine(_root, "restarts")).Length;

    /// <summary>What dpkg does: new files in the place of old ones, and files that the new version does not have go, as far as dpkg knows of them.</summary>
    private void Unpack(string version, string program, params string[] others)
    {
        var known = Has("files") ? Read("files").Split('\n') : [];
        string[] files = ["/usr/lib/edgegateway/edgegateway", .. others.Select(o => $"/usr/lib/edgegateway/{o}")];
        Script("usr/lib/edgegateway/edgegateway.dpkg-new", program);
        File.Move(Path.Combine(_root, "usr/lib/edgegateway/edgegateway.dpkg-new"), Path.Combine(_root, "usr/lib/edgegateway/edgegateway"), overwrite: true);
        foreach (var other in others)
        {
            Write($"usr/lib/edgegateway/{other}", version);
        }

        foreach (var gone in known.Except(files).Where(file => file.Length > 0))
        {
            File.Delete(Path.Combine(_root, gone[1..]));
        }

        Write("files", string.Join('\n', files) + "\n");
        Write("version", version);
    }

    private bool Has(string path) => Path.Exists(Path.Combine(_root, path));

    private string Read(string path) => File.ReadAllText(Path.Combine(_root, path));

    private void Write(string path, string text) => File.WriteAllText(Path.Combine(_root, path), text);

    private void Script(string path, string text)
    {
        Write(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(Path.Combine(_root, path), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Runs a script as dpkg does; arguments that hold an equals sign are its environment.</summary>
    private async Task<(int ExitCode, string Said)> RunAsync(string script, params string[] arguments)
    {
        var copy = Path.Combine(_root, script);
        await File.WriteAllTextAsync(copy, (await File.ReadAllTextAsync(RepositoryFiles.At($"hardware/package/debian/{script}"))).Replace("@KIB@", "1000", StringComparison.Ordinal));
        string[] environment = [$"DPKG_ROOT={_root}", $"PATH={_root}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "EDGEGATEWAY_HEALTH_WATCH=0", "EDGEGATEWAY_HEALTH_LIMIT=60", .. arguments.Where(a => a.Contains('=', StringComparison.Ordinal))];
        return await PackageTests.RunAsync("env", ["-u", "DEBCONF_REDIR", .. environment, "sh", copy, .. arguments.Where(a => !a.Contains('=', StringComparison.Ordinal))]);
    }
}
