using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Faults;
using EdgeGateway.Tests.Shared;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Package;

/// <summary>
/// The Debian package and its units. Quick: the units by systemd's own tools, the scripts' syntax, the tree of the package around the program that was built for these tests.
/// With <c>EDGEGATEWAY_LONG=1</c>: two builds of the package with the same bytes, and its whole life in a clean Debian, beginning with the package of the commit before.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class PackageTests(ITestOutputHelper told) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-package-").FullName;

    [ToolFact("systemd-analyze", "systemd")]
    public async Task The_units_have_no_fault_that_systemd_finds()
    {
        // What the unit starts need not be on this machine: the program's place is taken by one that every system has.
        var units = Units.Select(unit =>
        {
            var copy = Path.Combine(_folder, Path.GetFileName(unit));
            File.WriteAllText(copy, string.Join('\n', File.ReadLines(unit).Select(line =>
                line.StartsWith("Exec", StringComparison.Ordinal) ? $"{line[..line.IndexOf('=', StringComparison.Ordinal)]}=/bin/true" : line)));
            return copy;
        });
        var (code, said) = await RunAsync("systemd-analyze", ["verify", "--man=no", .. units]);
        Assert.Equal("", said);
        Assert.Equal(0, code);
    }

    [ToolFact("systemd-analyze", "systemd")]
    public async Task S_16_the_units_are_exposed_by_at_most_1_5()
    {
        foreach (var unit in Units)
        {
            var (code, said) = await RunAsync("systemd-analyze", ["security", "--offline=yes", "--threshold=15", unit]);
            Assert.True(code == 0, said);
        }
    }

    [Fact]
    public void S_16_what_the_score_does_not_count_stands_in_the_unit_too()
    {
        var unit = File.ReadAllLines(Units[0]);
        foreach (var line in new[] { "Type=notify", "WatchdogSec=30", "FileDescriptorStoreMax=64", "StateDirectoryMode=0700", "UMask=0077", "LogRateLimitBurst=300", "LoadCredential=secret:/etc/edgegateway/secrets" })
        {
            Assert.Contains(line, unit);
        }

        // .NET's compiler ends at the start under it.
        Assert.DoesNotContain("MemoryDenyWriteExecute=yes", unit);
    }

    [Theory]
    [InlineData("sh", "debian/preinst")]
    [InlineData("sh", "debian/postinst")]
    [InlineData("sh", "debian/prerm")]
    [InlineData("sh", "debian/postrm")]
    [InlineData("sh", "debian/launcher")]
    [InlineData("sh", "../acceptance/run")]
    [InlineData("bash", "build")]
    [InlineData("bash", "../../tests/package/trial")]
    [InlineData("bash", "../../tests/package/container")]
    public async Task Scripts_can_be_read_by_their_shell(string shell, string script)
    {
        var (code, said) = await RunAsync(shell, ["-n", RepositoryFiles.At($"hardware/package/{script}")]);
        Assert.True(code == 0, said);
    }

    [ToolFact("shellcheck", "shellcheck")]
    public async Task The_scripts_that_dpkg_runs_have_no_fault_that_shellcheck_finds()
    {
        string[] scripts = [.. new[] { "preinst", "postinst", "prerm", "postrm", "launcher" }.Select(s => RepositoryFiles.At($"hardware/package/debian/{s}"))];
        var (code, said) = await RunAsync("shellcheck", ["--severity=warning", .. scripts]);
        Assert.True(code == 0, said);
    }

    [ToolFact("perl", "perl-base")]
    public async Task The_witness_of_the_clock_writes_what_the_gateway_reads()
    {
        var file = Path.Combine(_folder, "timex");
        var (code, said) = await RunAsync("perl", [RepositoryFiles.At("hardware/package/clock-witness"), file, "once"]);
        Assert.True(code == 0, said);

        var timex = new byte[512];
        Assert.True(new KernelClock(file).TryWitness(timex, out var state), await File.ReadAllTextAsync(file));

        // adjtimex(2): from TIME_OK to TIME_ERROR; and a clock that runs has a tick.
        Assert.InRange(state, 0, 5);
        Assert.Contains(timex, b => b != 0);
    }

    [ToolFact("dpkg-deb", "dpkg")]
    public async Task The_tree_of_the_package_has_all_that_a_gateway_needs()
    {
        var program = RepositoryFiles.At("src/EdgeGateway/bin/Release/net10.0");
        Assert.True(File.Exists(Path.Combine(program, "edgegateway.dll")), $"{program} is missing: build the solution with -c Release");
        var (code, said) = await RunAsync("bash", [RepositoryFiles.At("hardware/package/build"), "all", "--program", program, "--stage", "--version", "1.2.3", "--output", _folder]);
        Assert.True(code == 0, said);

        var tree = Path.Combine(_folder, "all");
        foreach (var file in new[]
        {
            "DEBIAN/control", "DEBIAN/conffiles", "DEBIAN/templates", "DEBIAN/preinst", "DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm", "DEBIAN/md5sums",
            "usr/lib/edgegateway/edgegateway", "usr/lib/edgegateway/edgegateway.dll", "usr/lib/edgegateway/clock-witness", "usr/lib/edgegateway/acceptance", "usr/lib/edgegateway/device-profiles/computer/raspberry-pi.yaml",
            "usr/lib/edgegateway/runtimes/linux-x64/native/libe_sqlite3.so", "usr/lib/edgegateway/runtimes/linux-arm64/native/libe_sqlite3.so", "usr/lib/edgegateway/runtimes/linux-arm/native/libe_sqlite3.so",
            "usr/lib/systemd/system/edgegateway.service", "usr/lib/systemd/system/edgegateway-clock.service", "usr/lib/udev/rules.d/60-edgegateway.rules",
            "usr/share/bash-completion/completions/edgegateway", "usr/share/zsh/vendor-completions/_edgegateway", "usr/share/fish/vendor_completions.d/edgegateway.fish",
            "usr/share/man/man1/edgegateway.1.gz", "usr/share/doc/edgegateway/copyright", "usr/share/doc/edgegateway/bom.cdx.json", "usr/share/doc/edgegateway/licences/edgegateway",
            "usr/share/edgegateway/gateway.yaml.in", "etc/default/edgegateway",
        })
        {
            Assert.True(File.Exists(Path.Combine(tree, file)), $"{file} is missing");
        }

        Assert.Equal(["linux-arm", "linux-arm64", "linux-x64"], Directory.EnumerateDirectories(Path.Combine(tree, "usr/lib/edgegateway/runtimes")).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal));
        Assert.Contains("Version: 1.2.3", await File.ReadAllLinesAsync(Path.Combine(tree, "DEBIAN/control")));

        using var bill = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(tree, "usr/share/doc/edgegateway/bom.cdx.json")));
        Assert.Equal("CycloneDX", bill.RootElement.GetProperty("bomFormat").GetString());
        var parts = bill.RootElement.GetProperty("components").EnumerateArray().ToDictionary(c => c.GetProperty("bom-ref").GetString()!);
        Assert.Contains("framework:Microsoft.AspNetCore.App", parts.Keys);
        var yaml = Assert.Single(parts.Values, p => p.GetProperty("name").GetString() == "YamlDotNet");
        Assert.Equal("MIT", yaml.GetProperty("licenses")[0].GetProperty("expression").GetString());
        Assert.Equal(128, yaml.GetProperty("hashes")[0].GetProperty("content").GetString()!.Length);

        // Every library and framework that is inside declares a licence, and the copyright file names it; one that declares none is looked up by a person first.
        var copyright = await File.ReadAllTextAsync(Path.Combine(tree, "usr/share/doc/edgegateway/copyright"));
        foreach (var part in parts.Values.Where(p => p.TryGetProperty("purl", out _)))
        {
            Assert.True(part.TryGetProperty("licenses", out _), $"{part.GetProperty("name")} declares no licence");
            Assert.Contains($" {part.GetProperty("name").GetString()} {part.GetProperty("version").GetString()}: ", copyright, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("none declared", copyright, StringComparison.Ordinal);
        await EveryLibraryHasItsLicenceAsync(tree, parts);

        // What is run is in the bill by its hash.
        var library = Path.Combine(tree, "usr/lib/edgegateway");
        foreach (var file in Directory.EnumerateFiles(library, "*.dll"))
        {
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file))), parts[$"file:{Path.GetFileName(file)}"].GetProperty("hashes")[0].GetProperty("content").GetString());
        }

        // The check for room knows how much it is.
        var size = Assert.Single(await File.ReadAllLinesAsync(Path.Combine(tree, "DEBIAN/control")), line => line.StartsWith("Installed-Size: ", StringComparison.Ordinal))["Installed-Size: ".Length..];
        Assert.Contains($"needed={size}", await File.ReadAllLinesAsync(Path.Combine(tree, "DEBIAN/preinst")));

        await ManPageAndCompletionKnowEveryCommandAsync(tree);

        // Whatever something depends on stands in the bill.
        var known = parts.Keys.Append("edgegateway@1.2.3").ToHashSet();
        Assert.All(bill.RootElement.GetProperty("dependencies").EnumerateArray().SelectMany(d => d.GetProperty("dependsOn").EnumerateArray()), d => Assert.Contains(d.GetString()!, known));

        // The configuration that an installation makes is one that the gateway takes.
        var configuration = Path.Combine(_folder, "gateway.yaml");
        var template = await File.ReadAllTextAsync(Path.Combine(tree, "usr/share/edgegateway/gateway.yaml.in"));
        foreach (var profile in new[] { "raspberry-pi", "generic-linux-computer" })
        {
            await File.WriteAllTextAsync(configuration, template
                .Replace("@GATEWAY@", "gw-7", StringComparison.Ordinal).Replace("@TIMEZONE@", "UTC", StringComparison.Ordinal).Replace("@PROFILE@", profile, StringComparison.Ordinal));
            var (checkedAs, output, errors) = await Gateway.GatewayProcess.CommandAsync("check", configuration);
            Assert.True(checkedAs == 0, $"{output}\n{errors}");
        }
    }

    [Fact]
    public async Task A_build_for_an_architecture_whose_runtime_cannot_be_had_says_which_pack_and_what_to_do()
    {
        // In place of the SDK: what it says where the registry does not have the pack.
        var sdk = Directory.CreateDirectory(Path.Combine(_folder, "sdk")).FullName;
        var dotnet = Path.Combine(sdk, "dotnet");
        await File.WriteAllTextAsync(dotnet, """
            #!/bin/sh
            echo "EdgeGateway.csproj : error NU1101: Unable to find package Microsoft.NETCore.App.Runtime.linux-arm64. No packages exist with this id in source(s): registry"
            exit 1
            """);
        File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var (code, said) = await RunAsync("env", [$"PATH={sdk}:{Environment.GetEnvironmentVariable("PATH")}", "bash", RepositoryFiles.At("hardware/package/build"), "arm64", "--output", _folder]);
        Assert.Equal(1, code);
        Assert.Contains(
            "no package for arm64: the package registry of this computer does not have Microsoft.NETCore.App.Runtime.linux-arm64. Run hardware/package/build arm64 where the registry has it; until then the portable package (all) runs on arm64.",
            said,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task S_6_the_program_reads_a_credential_where_systemd_says_it_is_and_names_the_cure_where_it_is_not()
    {
        var credentials = Directory.CreateDirectory(Path.Combine(_folder, "credentials")).FullName;
        var configuration = Path.Combine(_folder, "gateway.yaml");
        await File.WriteAllTextAsync(configuration, """
            schema: edgegateway/gateway/1
            site: { id: shaft-3, timezone: UTC, region: CN }
            gateway: { id: gw-01 }
            buses:
              - { id: computer, type: box }
            devices:
              - { id: gateway-computer, profile: generic-linux-computer, bus: computer, unit: 1 }
            uplinks:
              - { id: centre, type: mqtt, servers: ["mqtts://centre.example"], username: gw-01, passwordFile: /run/credentials/edgegateway.service/secret_broker }
            """);
        string[] check = [$"CREDENTIALS_DIRECTORY={credentials}", "dotnet", Gateway.GatewayProcess.Program, "check", configuration];
        var (code, said) = await RunAsync("env", check);
        Assert.Equal(2, code);
        Assert.Contains($"the passwordFile of uplink 'centre' does not exist: {credentials}/secret_broker. sudo install -m 600 /dev/stdin {_folder}/secrets/broker", said.ReplaceLineEndings(" "), StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(credentials, "secret_broker"), "told");
        File.SetUnixFileMode(Path.Combine(credentials, "secret_broker"), UnixFileMode.UserRead);
        (code, said) = await RunAsync("env", check);
        Assert.True(code == 0, said);
    }

    [LongFact]
    public async Task Two_builds_have_the_same_bytes_and_live_through_upgrade_roll_back_and_purge()
    {
        var repository = RepositoryFiles.At(".");
        var before = Path.Combine(_folder, "before");
        var (added, git) = await RunAsync("git", ["-C", repository, "worktree", "add", "--detach", before, "HEAD~1"]);
        Assert.True(added == 0, $"the commit before is not here (a shallow clone: git fetch --unshallow). {git}");
        List<string> packages = [];
        try
        {
            foreach (var (tree, version, name) in new[] { (before, "0.0.1", "old"), (repository, "0.0.2", "first"), (repository, "0.0.2", "second") })
            {
                var place = Path.Combine(_folder, name);
                var (code, said) = await RunAsync("bash", [Path.Combine(tree, "hardware/package/build"), "amd64", "--version", version, "--output", place]);
                Assert.True(code == 0, said);
                packages.Add(Path.Combine(place, $"edgegateway_{version}_amd64.deb"));
            }
        }
        finally
        {
            await RunAsync("git", ["-C", repository, "worktree", "remove", "--force", before]);
        }

        Assert.Equal(await File.ReadAllBytesAsync(packages[1]), await File.ReadAllBytesAsync(packages[2]));

        // The portable one around the program that was built for these tests.
        var (built, how) = await RunAsync("bash", [RepositoryFiles.At("hardware/package/build"), "all", "--program", RepositoryFiles.At("src/EdgeGateway/bin/Release/net10.0"), "--version", "0.0.2", "--output", _folder]);
        Assert.True(built == 0, how);
        var (ended, log) = await RunAsync("bash", [RepositoryFiles.At("tests/package/trial"), packages[0], packages[1], Path.Combine(_folder, "edgegateway_0.0.2_all.deb")]);
        told.WriteLine(log);
        Assert.True(ended == 0 && log.Contains("\nall seen", StringComparison.Ordinal), log);

        if (ToolFactAttribute.Has("buildah"))
        {
            (ended, log) = await RunAsync("bash", [RepositoryFiles.At("tests/package/container"), packages[1]]);
            told.WriteLine(log);
            Assert.True(ended == 0 && log.Contains("\nall seen", StringComparison.Ordinal), log);
        }
        else
        {
            told.WriteLine("Not seen: the container, which needs buildah from the Debian package of that name.");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Units => [RepositoryFiles.At("hardware/systemd/edgegateway.service"), RepositoryFiles.At("hardware/systemd/edgegateway-clock.service")];

    /// <summary>What the program loads by its deps.json stands in the bill, and the words of each licence lie beside it.</summary>
    private static async Task EveryLibraryHasItsLicenceAsync(string tree, Dictionary<string, JsonElement> bill)
    {
        using var loaded = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(tree, "usr/lib/edgegateway/edgegateway.deps.json")));
        var packages = loaded.RootElement.GetProperty("libraries").EnumerateObject().Where(l => l.Value.GetProperty("type").GetString() == "package").Select(l => l.Name).ToArray();
        Assert.Contains(packages, p => p.StartsWith("OpenTelemetry.Exporter.OpenTelemetryProtocol/", StringComparison.Ordinal));
        foreach (var package in packages)
        {
            var part = Assert.Contains($"pkg:nuget/{package.Replace('/', '@')}", (IReadOnlyDictionary<string, JsonElement>)bill);
            var texts = Directory.GetFiles(Path.Combine(tree, "usr/share/doc/edgegateway/licences"), $"{package.Split('/')[0].ToLowerInvariant()}-LICENSE*");
            var text = await File.ReadAllTextAsync(Assert.Single(texts));
            var licence = part.GetProperty("licenses")[0];
            var declared = licence.TryGetProperty("expression", out var expression) ? expression.GetString() : licence.GetProperty("license").GetProperty("name").GetString();
            var words = declared switch
            {
                "MIT" => "Permission is hereby granted, free of charge",
                "Apache-2.0" => "Apache License",
                _ => Path.GetFileName(texts[0]) == declared!["the text in licences/".Length..] ? text : "a text of that name",
            };
            Assert.Contains(words, text, StringComparison.Ordinal);
            Assert.True(words == text || text.Contains("opyright", StringComparison.Ordinal) || text.Contains('©', StringComparison.Ordinal), texts[0]);
        }
    }

    /// <summary>The commands as completion tells them stand in the man page, each with its help, and the shell's script completes them.</summary>
    private async Task ManPageAndCompletionKnowEveryCommandAsync(string tree)
    {
        var (_, page) = await RunAsync("gzip", ["-dc", Path.Combine(tree, "usr/share/man/man1/edgegateway.1.gz")]);
        var titles = page.Split('\n').Where(line => line.StartsWith(".SS ", StringComparison.Ordinal)).Select(line => line[".SS edgegateway ".Length..].Replace("\\-", "-", StringComparison.Ordinal)).ToHashSet();
        Queue<string> waiting = new([""]);
        var known = 0;
        while (waiting.TryDequeue(out var command))
        {
            var line = $"edgegateway {command}{(command.Length > 0 ? " " : "")}";
            var (_, names, _) = await Gateway.GatewayProcess.CommandAsync($"[suggest:{line.Length}]", line);
            foreach (var name in names.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => titles.Contains($"{command} {name}".Trim()) || (command.Length == 0 && char.IsAsciiLetterLower(name[0]))))
            {
                var full = $"{command} {name}".Trim();
                Assert.True(titles.Remove(full), $"the man page has no '{full}'");
                known++;
                waiting.Enqueue(full);
            }
        }

        Assert.Empty(titles);
        Assert.InRange(known, 40, 500);

        // bash(1), Programmable Completion: COMP_LINE, COMP_POINT and COMP_WORDS are what the shell hands over.
        var program = Path.Combine(_folder, "edgegateway");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet {Gateway.GatewayProcess.Program} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var (_, completed) = await RunAsync("env", [$"PATH={_folder}:{Environment.GetEnvironmentVariable("PATH")}", "bash", "-c", """
            . "$1"
            COMP_LINE='edgegateway ledger ver' COMP_POINT=22 COMP_WORDS=(edgegateway ledger ver) COMP_CWORD=2
            _edgegateway
            echo "${COMPREPLY[*]}"
            """, "bash", Path.Combine(tree, "usr/share/bash-completion/completions/edgegateway")]);
        Assert.Equal("verify", completed.Trim());
    }

    internal static async Task<(int ExitCode, string Said)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>A fact that needs a program of this machine; skipped with the package that has it where it is missing.</summary>
    private sealed class ToolFactAttribute : FactAttribute
    {
        public ToolFactAttribute(string tool, string package) =>
            Skip = Has(tool) ? null : $"Needs {tool}, from the Debian package {package}.";

        public static bool Has(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));
    }

    /// <summary>A fact that publishes, and makes a Debian: minutes.</summary>
    private sealed class LongFactAttribute : FactAttribute
    {
        public LongFactAttribute() => Skip = FaultScene.IsLong ? null : "Publishes the program three times and makes a Debian by debootstrap, which takes minutes: EDGEGATEWAY_LONG=1 runs it.";
    }
}
