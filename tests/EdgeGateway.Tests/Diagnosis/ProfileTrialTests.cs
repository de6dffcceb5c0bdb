using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.Simulator;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Faults planted in profiles, against simulated devices whose registers are right: the trial finds them, and finds nothing in a profile that is right.</summary>
public class ProfileTrialTests(Xunit.Abstractions.ITestOutputHelper output)
{
    // Ten meters: integers and floats, both word orders, scale registers, one and three phases, W and kW, W.h and kW.h.
    internal static readonly string[] Ids =
    [
        "abb-b23-b24", "eastron-sdm630", "eastron-sdm120", "carlo-gavazzi-em340", "schneider-iem3155-iem3255", "schneider-pm5100", "siemens-pac3200", "solaredge-meter-1", "sunspec-203", "sunspec-213",
    ];

    private static readonly string[] Exchanged = ["electricity.current", "electricity.power.active", "electricity.voltage"];

    public static TheoryData<string> Meters => [.. Ids];

    [Theory, MemberData(nameof(Meters))]
    public void Nothing_is_found_in_a_profile_that_is_right(string id)
    {
        var device = new Device(id);
        var result = ProfileTrial.Judge(device.Profile, device.Rounds);
        Assert.True(result.Findings.Count == 0, string.Join("\n", result.Findings.Select(f => $"{f.What} -> {f.Cure}")));
        Assert.True(result.Agreed >= 3, $"only {result.Agreed} relations could be judged");
    }

    [Fact]
    public void At_least_95_percent_of_planted_faults_are_found()
    {
        var (planted, found, named) = (0, 0, 0);
        var missed = new List<string>();
        foreach (var id in Ids)
        {
            var device = new Device(id);
            foreach (var (what, expected, profile) in Faults(device.Profile))
            {
                planted++;
                var result = ProfileTrial.Judge(profile, device.Rounds);
                var isFound = result.Findings.Count > 0;
                found += isFound ? 1 : 0;
                named += result.Findings.Any(f => f.Cure?.Contains(expected, StringComparison.Ordinal) == true || f.Others.Any(o => o.Contains(expected, StringComparison.Ordinal))) ? 1 : 0;
                if (!isFound)
                {
                    missed.Add($"{id}: {what}");
                }
                else if (!result.Findings.Any(f => f.Cure?.Contains(expected, StringComparison.Ordinal) == true))
                {
                    output.WriteLine($"{id}: {what}: found, but explained as {string.Join(" | ", result.Findings.Select(f => f.Cure ?? f.What))}");
                }
            }
        }

        output.WriteLine($"{planted} faults planted in {Ids.Length} profiles: {found} found, {named} named among the causes");
        output.WriteLine(string.Join("\n", missed));
        Assert.True(planted >= 100);
        Assert.True(found >= 0.95 * planted, $"{found} of {planted} found; missed: {string.Join("; ", missed)}");
        Assert.True(named >= 0.6 * planted, $"the planted cause was named {named} of {planted} times");
    }

    [Fact]
    public void A_wrong_word_order_is_explained_with_what_to_write()
    {
        var device = new Device("eastron-sdm630");
        var wrong = Change(device.Profile, "voltage_l2_n", e => e with { WordOrder = WordOrder.LowFirst });
        var finding = Assert.Single(ProfileTrial.Judge(wrong, device.Rounds).Findings);
        Assert.Equal(["voltage_l2_n"], finding.Points);
        Assert.Equal("voltage_l2_n: the word order is the other one: write 'wordOrder: high-first'", finding.Cure);
    }

    [Fact]
    public void Addresses_that_are_all_wrong_by_one_are_one_finding()
    {
        var device = new Device("abb-b23-b24");
        var wrong = device.Profile with { Points = [.. device.Profile.Points.Select(p => p with { Encoding = p.Encoding.MovedBy(1) })] };
        var finding = ProfileTrial.Judge(wrong, device.Rounds).Findings[0];
        Assert.Equal(["all points"], finding.Points);
        Assert.Contains("all addresses are one too large", finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_growth_that_the_register_does_not_show_yet_is_said_to_be_open()
    {
        var device = new Device("abb-b23-b24", seconds: 3);
        Assert.Contains(ProfileTrial.Judge(device.Profile, device.Rounds).NotJudged, n => n.Contains("test for longer", StringComparison.Ordinal));
    }

    /// <summary>Offset by one, swapped words, Wh for kWh, wrong sign, wrong phase; in single points and in all.</summary>
    internal static IEnumerable<(string What, string Expected, DeviceProfile Profile)> Faults(DeviceProfile profile)
    {
        string[] targets = ["electricity.voltage.l1_n", "electricity.current.l1", "electricity.power.active", "electricity.frequency", "electricity.energy.active.import"];
        foreach (var point in profile.Points.Where(p => targets.Contains(p.Role)).DistinctBy(p => p.Role))
        {
            yield return ($"{point.Id} one address on", "wrong by one", Change(profile, point.Id, e => e with { Address = (ushort)(e.Address + 1) }));
            if (point.Encoding.Length > 1)
            {
                yield return ($"{point.Id} with swapped words", "word order", Change(profile, point.Id, Swap));
            }
        }

        yield return ("all addresses one on", "all addresses", profile with { Points = [.. profile.Points.Select(p => p with { Encoding = p.Encoding.MovedBy(1) })] });
        if (profile.Points.Count(p => p.Encoding.Length > 1) > 1)
        {
            yield return ("all words swapped", "word order", profile with { Points = [.. profile.Points.Select(p => p.Encoding.Length > 1 && p.Kind != PointKind.Text ? p with { Encoding = Swap(p.Encoding) } : p)] });
        }

        if (profile.Points.FirstOrDefault(p => p.Role is "electricity.energy.active.import" or "electricity.energy.active.total") is { } energy)
        {
            yield return ("energy 1000 times too large", "too large", Change(profile, energy.Id, e => e with { Scale = e.Scale * 1000 }));
            yield return ("energy 1000 times too small", "too small", Change(profile, energy.Id, e => e with { Scale = e.Scale / 1000 }));
        }

        var power = profile.Points.First(p => p.Role == "electricity.power.active");
        yield return ("power with the wrong sign", "sign", Change(profile, power.Id, e => e with { Scale = -e.Scale }));
        foreach (var family in Exchanged)
        {
            if (Exchange(profile, family, "l1", "l2") is { } exchanged)
            {
                yield return ($"{family}: L1 for L2", "exchanged", exchanged);
            }
        }
    }

    private static RegisterEncoding Swap(RegisterEncoding e) => e with { WordOrder = e.WordOrder == WordOrder.HighFirst ? WordOrder.LowFirst : WordOrder.HighFirst };

    private static DeviceProfile Change(DeviceProfile profile, string id, Func<RegisterEncoding, RegisterEncoding> change) =>
        profile with { Points = [.. profile.Points.Select(p => p.Id == id ? p with { Encoding = change(p.Encoding) } : p)] };

    internal static DeviceProfile? Exchange(DeviceProfile profile, string family, string a, string b)
    {
        var (first, second) = (profile.Points.FirstOrDefault(p => p.Role == $"{family}.{a}"), profile.Points.FirstOrDefault(p => p.Role == $"{family}.{b}"));
        return first is null || second is null ? null : Change(Change(profile, first.Id, _ => second.Encoding), second.Id, _ => first.Encoding);
    }

    /// <summary>A simulated device, watched for some minutes of its own time.</summary>
    private sealed class Device
    {
        private readonly SimulatedSite _site;

        public Device(string id, int seconds = 600)
        {
            var model = ProfileImageTests.SiteOf(id, id == "eastron-sdm120" ? ", ratedPower: 8 kW" : ", ratedPower: 30 kW");
            Profile = model.Devices[0].Profile;
            _site = new SimulatedSite(model, 21, new SteppedTime());
            var rounds = new List<TrialRound>();
            for (var i = 0; i <= 4; i++)
            {
                _site.Step(_site.Begin + TimeSpan.FromSeconds(3600 + (seconds * i / 4)));
                rounds.Add(new(TimeSpan.FromSeconds(seconds * i / 4), Registers()));
            }

            Rounds = rounds;
        }

        public DeviceProfile Profile { get; }

        public IReadOnlyList<TrialRound> Rounds { get; }

        // Every register that the device has, and the refusal of those around that it has not.
        private RegisterSnapshot Registers()
        {
            var snapshot = new RegisterSnapshot();
            var word = new ushort[1];
            foreach (var encoding in Profile.Points.Select(p => p.Encoding))
            {
                for (var address = encoding.Span.First - 4; address < encoding.Span.End + 4; address++)
                {
                    if (address < 0)
                    {
                        continue;
                    }

                    if (_site.TryRead(0, encoding.Table, _site.FirstRegister(0) + address, word))
                    {
                        snapshot.Put(encoding.Table, address, word);
                    }
                    else
                    {
                        snapshot.PutRefused(encoding.Table, address, 1);
                    }
                }
            }

            return snapshot;
        }
    }
}
