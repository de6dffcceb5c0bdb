using System.Text.RegularExpressions;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Package;

/// <summary>Every program that tests and scripts start is one that <c>.ci/run</c> installs, or that each Debian has.</summary>
public sealed partial class ToolListTests
{
    /// <summary>Programs, and the Debian package of each.</summary>
    private static readonly Dictionary<string, string> Packages = new()
    {
        ["ps"] = "procps", ["pgrep"] = "procps", ["pkill"] = "procps", ["free"] = "procps",
        ["mkfs.ext4"] = "e2fsprogs", ["mke2fs"] = "e2fsprogs", ["e2fsck"] = "e2fsprogs",
        ["flock"] = "util-linux", ["unshare"] = "util-linux", ["nsenter"] = "util-linux", ["setpriv"] = "util-linux", ["taskset"] = "util-linux", ["losetup"] = "util-linux",
        ["ip"] = "iproute2", ["nft"] = "nftables", ["faketime"] = "faketime", ["socat"] = "socat", ["git"] = "git",
        ["mosquitto"] = "mosquitto", ["mosquitto_passwd"] = "mosquitto", ["mosquitto_pub"] = "mosquitto-clients", ["mosquitto_sub"] = "mosquitto-clients",
        ["prometheus"] = "prometheus", ["promtool"] = "prometheus", ["nats-server"] = "nats-server", ["rabbitmq-server"] = "rabbitmq-server", ["epmd"] = "rabbitmq-server",
        ["mbpoll"] = "mbpoll", ["cc"] = "gcc", ["gcc"] = "gcc", ["pkg-config"] = "pkg-config", ["python3"] = "python3", ["node"] = "nodejs", ["npm"] = "npm",
        ["debootstrap"] = "debootstrap", ["systemd-analyze"] = "systemd", ["shellcheck"] = "shellcheck",
    };

    /// <summary>What each Debian has (Essential), the SDK, and what a test needs that is skipped where it is missing.</summary>
    private static readonly string[] There = ["sh", "bash", "env", "kill", "true", "false", "sleep", "gzip", "chown", "stat", "perl", "dpkg-deb", "date", "mount", "umount", "sync", "truncate", "chgrp", "dotnet", "buildah"];

    [Fact]
    public void What_the_tests_start_is_in_the_list()
    {
        var known = Packages.Keys.Concat(There).ToHashSet();
        var started = Files("tests", ".cs").Where(f => !f.Contains("/tests/tools/", StringComparison.Ordinal)).SelectMany(f => Started().Matches(File.ReadAllText(f)).Select(m => (File: f, Program: m.Groups["program"].Value))).ToArray();
        Assert.Contains(started, s => s.Program == "python3");
        Assert.Empty(started.Where(s => !known.Contains(s.Program)).Select(s => $"{s.Program} in {s.File}"));
        Assert.Empty(started.Where(s => Packages.TryGetValue(s.Program, out var package) && !Installed.Contains(package)).Select(s => $"{s.Program} in {s.File}: .ci/run does not install it"));
    }

    [Fact]
    public void What_the_scripts_run_is_installed()
    {
        var scripts = new[] { "hardware/package/build", "tests/package/trial", "tests/package/container", "hardware/acceptance/run" }.Select(RepositoryFiles.At);
        var used = scripts.SelectMany(file => File.ReadLines(file).Where(line => !line.TrimStart().StartsWith('#')).SelectMany(line => Word().Matches(line).Select(m => m.Value)).Where(Packages.ContainsKey)).ToHashSet();
        Assert.Contains("pgrep", used);
        Assert.DoesNotContain(used, program => !Installed.Contains(Packages[program]));
    }

    private static HashSet<string> Installed { get; } =
    [
        .. File.ReadLines(RepositoryFiles.At(".ci/run")).SelectMany(line => Lists().Matches(line)).SelectMany(m => m.Groups["names"].Value.Split(' ')),
    ];

    private static IEnumerable<string> Files(string folder, string suffix) => Directory.EnumerateFiles(RepositoryFiles.At(folder), $"*{suffix}", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    // As the tests start programs: by their path in a Debian, or by the name that is the first argument.
    [GeneratedRegex("""
        "(/usr)?/s?bin/(?<program>[a-z0-9_.-]+)"|ProcessStartInfo\("(?<program>[a-z0-9_.-]+)"|PackageTests\.RunAsync\("(?<program>[a-z0-9_.-]+)"|PeerProcess\.Start(Async)?\("(?<program>[a-z0-9_.-]+)"
        """)]
    private static partial Regex Started();

    [GeneratedRegex(@"(?<![\w./$-])[a-z0-9_.-]+(?![\w/=-])")]
    private static partial Regex Word();

    [GeneratedRegex(@"packages\+?=\((?<names>[^)]*)\)")]
    private static partial Regex Lists();
}
