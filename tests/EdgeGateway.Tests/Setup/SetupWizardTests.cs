using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Scanning;
using EdgeGateway.Setup;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Setup;

/// <summary>The wizard with units that a scan would have found: what it asks, refuses and writes.</summary>
public sealed class SetupWizardTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-setup-").FullName;
    private readonly SiteFiles _files = new([RepositoryFiles.At("device-profiles")]);
    private readonly StringWriter _said = new();
    private int _scans;

    private string Output => Path.Combine(_folder, "gateway.yaml");

    private SetupOptions Options => new()
    {
        Output = Output,
        IsUnattended = true,
        Timeout = TimeSpan.FromMilliseconds(100),
        Hosts = ["127.0.0.1:1"],
        Site = "mine",
        TimeZone = "UTC",
        Region = "CN",
        Gateway = "gw",
        Server = "",
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_option_that_is_wrong_is_named_before_anything_is_looked_for()
    {
        (SetupOptions Options, string Said)[] wrong =
        [
            (Options with { Site = "a b" }, "--site: 'a b' is no id"),
            (Options with { Site = "mine\n" }, "--site: "),
            (Options with { Site = null }, "--site"),
            (Options with { Gateway = "x: {" }, "--gateway: "),
            (Options with { TimeZone = "Mars" }, "--timezone: 'Mars' is no time zone"),
            (Options with { Region = "XX" }, "--region: There are no emission factors for 'XX'"),
            (Options with { Server = "http://x" }, "--server: 'http://x' is no MQTT server"),
            (Options with { Server = "mqtt://host/path" }, "--server: 'mqtt://host/path' is no MQTT server"),
            (Options with { Server = "mqtts://me:secret@host" }, "--server: The address holds a user name"),
            (Options with { Server = "mqtt://centre.example" }, "--allow-plaintext"),
            (Options with { Devices = [new("", 1, "a, unit: 2", null)] }, "--device: 'a, unit: 2' is no id"),
            (Options with { Devices = [new("", 1, "a", null), new("", 2, "a", null)] }, "--device: 'a' is stated twice"),
            (Options with { Devices = [new("", 1, "a", null), new("", 1, "b", null)] }, "--device: unit 1 is stated twice"),
            (Options with { Devices = [new("", 1, "a", "eastron-sdm63")] }, "There is no profile 'eastron-sdm63' for a"),
            (Options with { Incomers = ["a b"] }, "--incomer: 'a b' is no id"),
            (Options with { Units = "1-x" }, "no range of unit ids"),
            (Options with { Hosts = ["127.0.0.1:x"] }, "no port"),
            (Options with { Baud = "fast" }, "fast"),
            (Options with { Output = Path.Combine(_folder, "nowhere", "gateway.yaml") }, "There is no directory"),
        ];
        foreach (var (options, said) in wrong)
        {
            var message = (await Assert.ThrowsAsync<FormatException>(() => RunAsync(options, new UnattendedDialog()))).Message;
            Assert.Contains(said, message, StringComparison.Ordinal);
        }

        Assert.Equal((0, 0), (_scans, Directory.EnumerateFileSystemEntries(_folder).Count()));
    }

    [Fact]
    public async Task Values_of_another_meaning_in_YAML_are_written_as_they_are()
    {
        var port = Path.Combine(_folder, "tty: #1, \"a\" }");
        await File.WriteAllTextAsync(port, "");
        const string server = "wss://centre.example/\"], x: [\"";
        var place = new ScanPlace { SerialPort = port, Baud = 9600, Parity = "none", StopBits = 1 };
        var problems = await RunAsync(
            Options with { Server = server, SiteName = "Mine \"3\" \\ {north}: #1\nsecond line", Hosts = [], Ports = [port], Devices = [new(port, 3, "null", "eastron-sdm120"), new("", 4, "true", "eastron-sdm120")] },
            new UnattendedDialog(),
            Unit(place, 3, ("eastron-sdm120", 90)),
            Unit(new() { Host = "fe80::1%eth0", TcpPort = 1 }, 4, ("eastron-sdm120", 90)));
        Assert.True(problems is null, string.Join('\n', problems ?? []));
        var site = _files.Load(Output, out _)!.Model;
        Assert.Equal(["null", "true"], site.Devices.Select(d => d.Id));
        Assert.Equal((port, "Mine \"3\" \\ {north}: #1\nsecond line"), (Assert.IsType<ModbusRtuBus>(site.Buses[0]).Port, site.SiteName));
        Assert.Equal("fe80::1%eth0", Assert.IsType<ModbusTcpBus>(site.Buses[1]).Host);
        Assert.Contains("[\"wss://centre.example/\\\"], x: [\\\"\"]", await File.ReadAllTextAsync(Output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_configuration_that_is_replaced_is_kept()
    {
        for (var n = 1; n <= 3; n++)
        {
            Assert.Null(await RunAsync(Options with { MayReplace = true, SiteName = $"Number {n}" }, new UnattendedDialog(), Unit(Host(1), 1, ("eastron-sdm120", 90))));
        }

        Assert.Equal(["gateway.yaml", "gateway.yaml.old", "gateway.yaml.old-2"], Directory.EnumerateFiles(_folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Contains("Number 3", await File.ReadAllTextAsync(Output), StringComparison.Ordinal);
        Assert.Contains("Number 1", await File.ReadAllTextAsync(Output + ".old"), StringComparison.Ordinal);
        Assert.Contains("Number 2", await File.ReadAllTextAsync(Output + ".old-2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_profiles_that_fit_equally_well_are_not_decided_by_a_script()
    {
        var unit = Unit(Host(1), 7, ("eastron-sdm120", 90), ("eastron-sdm630", 88));
        var message = (await Assert.ThrowsAsync<FormatException>(() => RunAsync(Options, new UnattendedDialog(), unit))).Message;
        Assert.Equal("127.0.0.1:1, unit 7: eastron-sdm120 and eastron-sdm630 fit about equally well. Read the name plate, and say which it is with --device 127.0.0.1:1/7=ID:eastron-sdm120", message);
        Assert.False(File.Exists(Output));

        // The option that it names decides, and so does a clear difference.
        Assert.Null(await RunAsync(Options with { Devices = [StatedDevice.Parse("127.0.0.1:1/7=fan:eastron-sdm630")] }, new UnattendedDialog(), unit));
        Assert.Equal("eastron-sdm630", Assert.Single(_files.Load(Output, out _)!.Model.Devices).Profile.Id);
        Assert.Null(await RunAsync(Options with { MayReplace = true }, new UnattendedDialog(), Unit(Host(1), 7, ("eastron-sdm120", 90), ("eastron-sdm630", 80))));
    }

    [Fact]
    public async Task Meters_never_stand_in_a_circle_nor_behind_one_that_is_left_out()
    {
        // a is a part of b, b of c; c cannot be a part of them.
        var dialog = new Answers("a part of what b measures", "a part of what c measures", "all that is drawn from the grid (incomer)", "nothing of that: leave it out of the carbon account", "own generation");
        var units = Enumerable.Range(1, 5).Select(n => Unit(Host(1), n, ("eastron-sdm120", 90))).ToArray();
        var options = Options with { IsUnattended = false, SiteName = "", Devices = [.. "abcde".Select((c, i) => new StatedDevice("", i + 1, c.ToString(), null))] };
        Assert.Null(await RunAsync(options, dialog, units));
        Assert.Equal(["b", "c", null, null, null], _files.Load(Output, out _)!.Model.Devices.Select(d => d.Metering?.Parent));
        Assert.DoesNotContain("a part of what a measures", dialog.Offered[1]);
        Assert.DoesNotContain("a part of what a measures", dialog.Offered[2]);
        Assert.DoesNotContain("a part of what b measures", dialog.Offered[2]);
        Assert.DoesNotContain(dialog.Offered[2], c => c.StartsWith("nothing of that", StringComparison.Ordinal));
        Assert.DoesNotContain("a part of what d measures", dialog.Offered[4]);
        Assert.Contains("a, b are a part of what c measures: c cannot be a part of these, nor be left out.", _said.ToString(), StringComparison.Ordinal);
    }

    private static ScanPlace Host(int port) => new() { Host = "127.0.0.1", TcpPort = port };

    private static FoundUnit Unit(ScanPlace place, int unit, params (string Profile, int Fit)[] profiles) => new()
    {
        Where = place.Text,
        Place = place,
        Unit = unit,
        Profiles = [.. profiles.Select(p => new ProposedProfile(p.Profile, p.Profile, p.Fit, []))],
    };

    private async Task<IReadOnlyList<string>?> RunAsync(SetupOptions options, ISetupDialog dialog, params FoundUnit[] units)
    {
        var left = new Queue<FoundUnit>(units);
        DeviceProfile[] library = [.. new[] { "eastron-sdm120", "eastron-sdm630" }.Select(id => ReadyProfiles.Load(_files.Text(id), _files.Text))];
        var wizard = new SetupWizard(
            options,
            dialog,
            _files,
            library,
            _ =>
            {
                // Everything is found in the first place that is searched.
                _scans++;
                var found = left.ToArray();
                left.Clear();
                return Task.FromResult(new ScanDocument { IsComplete = true, Units = found, Notes = [], Yaml = "" });
            },
            _said,
            TimeProvider.System);
        return (await wizard.RunAsync(CancellationToken.None))?.Select(p => p.ToString()).ToList();
    }

    /// <summary>Answers the questions of what meters measure, and takes what is proposed for the others.</summary>
    private sealed class Answers(params string[] metering) : ISetupDialog
    {
        public List<IReadOnlyList<string>> Offered { get; } = [];

        public string Text(string question, string option, string? preset, Func<string, string?> problem) => preset ?? "";

        public bool Confirm(string question, bool preset) => preset;

        public T Choose<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
            where T : notnull
        {
            if (!question.StartsWith("What does ", StringComparison.Ordinal))
            {
                return choices[0];
            }

            Offered.Add([.. choices.Select(words)]);
            return choices.First(c => words(c) == metering[Offered.Count - 1]);
        }

        public IReadOnlyList<T> ChooseSeveral<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
            where T : notnull => [];
    }
}
