using EdgeGateway.Core.Profiles;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Scanning;
using EdgeGateway.Tests.Protocols.Modbus;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Scanning;

/// <summary>What a scan says of DL/T 645 meters on a line.</summary>
public sealed class MeterSearchTests
{
    private static readonly Lazy<IReadOnlyList<DeviceProfile>> Profiles = new(() =>
        [.. RepositoryFiles.Profiles.Where(f => Path.GetFileName(f).StartsWith("generic-dlt645", StringComparison.Ordinal)).Select(f => ReadyProfiles.Load(new(f, File.ReadAllText(f)), id => new(id, File.ReadAllText(Path.Combine(Path.GetDirectoryName(f)!, $"{id}.yaml")))))]);

    private readonly ScriptedClock _clock = new();

    private static MeterAddress Of(string digits) => MeterAddress.TryParse(digits, out var address) ? address : throw new ArgumentException(digits);

    /// <summary>Meters on one line: those that the wildcard meets answer one after the other.</summary>
    private async Task<(IReadOnlyList<(MeterAddress Address, IReadOnlyList<ProposedProfile> Profiles, IReadOnlyList<string> Notes)> Meters, string? Note)> SearchAsync(string[] known, params (string Address, bool IsThreePhase)[] meters)
    {
        var line = new ScriptedLine(_clock);
        line.OnWrite = sent =>
        {
            var found = Dlt645Frame.Find(sent);
            var data = new byte[255];
            var length = Dlt645Frame.Read(sent.AsSpan(found.At, found.Length), data, out var asked, out var control);
            var at = 40;
            foreach (var (address, isThreePhase) in meters.Where(m => asked.IsWildcard || asked == Of(m.Address)))
            {
                byte[] answer = control.Function == Dlt645Function.ReadAddress ? AddressOf(address) : [.. data.AsSpan(0, length), .. ValueOf(DataIdentifier.Read(data), isThreePhase)];
                var frame = new byte[Dlt645Frame.MinLength + answer.Length];
                Dlt645Frame.Write(frame, Of(address), Dlt645Control.Reply(control.Function), answer);
                line.Arrive(TimeSpan.FromMilliseconds(at), frame);
                at += 120;
            }
        };
        await using var client = new Dlt645Client((_, _) => ValueTask.FromResult<IByteLine>(line), new(), _clock);
        return await new MeterSearch(new ClientMeterProbe(client), Profiles.Value, TimeSpan.FromMilliseconds(200)).RunAsync(known.Select(Of), CancellationToken.None);
    }

    private static byte[] AddressOf(string address)
    {
        var bytes = new byte[6];
        Of(address).Write(bytes);
        return bytes;
    }

    private static byte[] ValueOf(DataIdentifier identifier, bool isThreePhase) => identifier.Code switch
    {
        0x0201_0100 => [0x05, 0x23],
        0x0201_0200 => isThreePhase ? [0x10, 0x23] : [0xFF, 0xFF],
        _ => [0x26, 0x00, 0x00, 0x00],
    };

    [Fact]
    public async Task One_meter_is_found_by_its_own_answer_and_its_phases_choose_the_profile()
    {
        var (meters, note) = await SearchAsync([], ("161", true));
        var meter = Assert.Single(meters);
        Assert.Equal((Of("161"), "generic-dlt645-three-phase", null), (meter.Address, Assert.Single(meter.Profiles).Profile, note));
        Assert.Equal(["DL/T 645-2007 meter 000000000161", "voltage A reads 230.5 V", "voltage B reads 231.0 V", "forward active energy reads 0.26 kWh"], meter.Profiles[0].Reasons);
        Assert.Equal("generic-dlt645-single-phase", Assert.Single((await SearchAsync([], ("161", false))).Meters).Profiles[0].Profile);
    }

    [Fact]
    public async Task Several_meters_are_told_and_those_that_are_known_are_asked_by_their_address()
    {
        var (meters, note) = await SearchAsync(["161", "163"], ("161", true), ("162", false));
        Assert.Equal([Of("161"), Of("162")], meters.Select(m => m.Address));
        Assert.Contains("several meters answered", note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_answers_nothing_is_found()
    {
        var (meters, note) = await SearchAsync(["161"]);
        Assert.Empty(meters);
        Assert.Null(note);
    }

    [Fact]
    public void What_was_found_stands_in_the_file_as_a_bus_with_its_meters()
    {
        var place = new ScanPlace { SerialPort = "/dev/ttyUSB0", Baud = 2400, Parity = "even", StopBits = 1, Meters = ["000000000161"] };
        var yaml = ScanYaml.Of([new FoundUnit { Where = place.Text, Place = place, Unit = 1, Profiles = [new("generic-dlt645-single-phase", "x", 90, [])] }]);
        Assert.Contains("type: dlt645, port: /dev/ttyUSB0, baud: 2400, parity: even, stopBits: 1, meters: [{ unit: 1, address: \"000000000161\" }]", yaml, StringComparison.Ordinal);
        Assert.Contains("profile: generic-dlt645-single-phase", yaml, StringComparison.Ordinal);
    }
}
