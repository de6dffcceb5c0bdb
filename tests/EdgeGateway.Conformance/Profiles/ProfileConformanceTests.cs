using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>Every file of <c>device-profiles</c>, found by itself.</summary>
public class ProfileConformanceTests
{
    public static TheoryData<string> Files => [.. ProfileFiles.Names];

    public static TheoryData<string> Templates => [.. ProfileFiles.Templates];

    [Fact]
    public void There_are_profiles_to_check() => Assert.True(ProfileFiles.Names.Count >= 25);

    [Theory, MemberData(nameof(Files))]
    public void Loads_without_a_problem_and_passes_its_self_tests(string file)
    {
        var (profile, problems) = ProfileFiles.Load(file);
        Assert.Equal("", string.Join("\n", problems));
        Assert.NotNull(profile);
        Assert.NotEmpty(profile.SelfTests);
        Assert.NotEmpty(profile.Identify);
    }

    [Theory, MemberData(nameof(Files))]
    public void Stands_in_the_file_that_its_kind_and_id_name(string file)
    {
        var profile = ProfileFiles.Ready(file);
        Assert.Equal($"{profile.Kind}/{profile.Id}.yaml", file);
    }

    [Fact]
    public void No_two_profiles_have_one_id() =>
        Assert.Empty(ProfileFiles.Names.GroupBy(n => Path.GetFileNameWithoutExtension(n)).Where(g => g.Count() > 1).Select(g => g.Key));

    [Theory, MemberData(nameof(Files))]
    public void Is_accepted_by_the_published_schema_that_editors_use(string file) =>
        Assert.Equal("", string.Join("\n", PublishedSchema.DeviceProfile.Check(ProfileFiles.Text(file))));

    [Theory, MemberData(nameof(Files))]
    public void Is_read_within_the_limits_it_states(string file)
    {
        var profile = ProfileFiles.Ready(file);
        var plan = ReadPlanner.Plan(profile.Points.Select((p, i) => (i, p.Encoding)), ReadLimits.Of(profile), ReadCost.Network(ReadCost.AssumedLatency, profile.MinGap));
        Assert.Equal(profile.Points.Count, plan.Sum(r => r.Points.Count));
        Assert.All(plan, r => Assert.InRange(r.Request.Quantity, 1, r.Request.Table is RegisterTable.Coil or RegisterTable.DiscreteInput ? 2000 : profile.MaxRegistersPerRead));
        if (!profile.MayReadGaps)
        {
            var stated = profile.Points.Select(p => (p.Encoding.Table, p.Encoding.Address, p.Encoding.Length))
                .Concat(profile.Points.Where(p => p.Encoding.ScaleAt is not null).Select(p => (p.Encoding.Table, p.Encoding.ScaleAt!.Value, 1)))
                .ToList();
            Assert.All(plan, r => Assert.All(
                Enumerable.Range(r.Request.Address, r.Request.Quantity),
                a => Assert.Contains(stated, s => s.Table == r.Request.Table && a >= s.Item2 && a < s.Item2 + s.Item3)));
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void An_alarm_bit_is_a_finding_and_not_only_a_number(string file) => Assert.All(
        ProfileFiles.Ready(file).Points.Where(p => p.Encoding.Type == RegisterType.Bit && (p.Role is "device.alarm" or "device.fault")),
        p => Assert.True(p.Alarms.Count > 0, $"{p.Id} has no flag with a severity"));

    /// <summary>All ones in a state or in event bits of SunSpec mean that the device does not have them: read as bits they would be every alarm at once.</summary>
    [Theory, MemberData(nameof(Files))]
    public void States_and_events_of_SunSpec_know_that_a_device_may_not_have_them(string file)
    {
        var profile = ProfileFiles.Ready(file);
        if (!profile.Sources.Values.Any(s => s.Reference.StartsWith("sunspec/models", StringComparison.Ordinal)))
        {
            return;
        }

        foreach (var point in profile.Points.Where(p => p.Symbols is not null || p.Flags is not null))
        {
            var words = Enumerable.Repeat((ushort)0xFFFF, point.Encoding.Length).ToArray();
            Assert.Equal((point.Id, DecodeStatus.Invalid), (point.Id, RegisterCodec.Decode(point.Encoding, words, out _, out _)));
        }
    }

    /// <summary>What is wrong with a template is only what has still to be filled in, and there is something.</summary>
    [Theory, MemberData(nameof(Templates))]
    public void A_template_lacks_only_what_the_technician_fills_in(string file)
    {
        var (profile, problems) = ProfileFiles.Load(file);
        Assert.Null(profile);
        Assert.NotEmpty(problems);
        Assert.All(problems, p => Assert.StartsWith("fill in: ", p.What, StringComparison.Ordinal));
    }

    [Fact]
    public void Both_word_orders_and_all_sizes_are_among_the_profiles()
    {
        var encodings = ProfileFiles.Names.Select(f => ProfileFiles.Ready(f)).SelectMany(p => p.Points).Select(p => p.Encoding).ToList();
        Assert.Contains(encodings, e => e.WordOrder == WordOrder.LowFirst && e.Length > 1);
        Assert.Contains(encodings, e => e.Type == RegisterType.UInt64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Int64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Float64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Text);
        Assert.Contains(encodings, e => e.Type == RegisterType.DateTime);
        Assert.Contains(encodings, e => e.ScaleAt is not null);
    }
}
