using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>Every file of <c>device-profiles</c>, found by itself.</summary>
public class ProfileConformanceTests
{
    public static TheoryData<string> Files => [.. Names];

    private static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/'))
            .Where(f => !f.StartsWith("templates/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static string Folder => RepositoryFiles.At("device-profiles");

    [Fact]
    public void There_are_profiles_to_check() => Assert.True(Names.Count() >= 10);

    [Theory, MemberData(nameof(Files))]
    public void Loads_without_a_problem_and_passes_its_self_tests(string file)
    {
        var (profile, problems) = Load(file);
        Assert.Equal("", string.Join("\n", problems));
        Assert.NotNull(profile);
        Assert.NotEmpty(profile.SelfTests);
        Assert.NotEmpty(profile.Identify);
    }

    [Theory, MemberData(nameof(Files))]
    public void Stands_in_the_file_that_its_kind_and_id_name(string file)
    {
        var profile = Load(file).Profile!;
        Assert.Equal($"{profile.Kind}/{profile.Id}.yaml", file);
    }

    [Theory, MemberData(nameof(Files))]
    public void Every_point_agrees_with_the_collected_facts(string file)
    {
        var profile = Load(file).Profile!;
        var facts = Facts().Where(f => f["profile"] == profile.Id).ToList();
        Assert.NotEmpty(facts);
        foreach (var point in profile.Points)
        {
            var fact = facts.Find(f => f["quantity"] == point.Id);
            Assert.True(fact is not null, $"{point.Id} is in no fact");
            var encoding = point.Encoding;
            Assert.Equal(
                (point.Id, fact["table"], fact["address0"], fact["type"]),
                (point.Id, TableName(encoding.Table), $"{encoding.Address}", encoding.Type.ToString().ToLowerInvariant()));
            if (fact["word_order"] is { Length: > 0 } order)
            {
                Assert.Equal(order, encoding.WordOrder == WordOrder.HighFirst ? "msw-first" : "lsw-first");
            }

            // A power of ten in a register (SunSpec) stands for the factor; the sign is the profile's, which makes import positive.
            if (fact["scale"].StartsWith("10^", StringComparison.Ordinal))
            {
                Assert.True(encoding.ScaleAt is not null && Math.Abs(encoding.Scale) == 1, $"{point.Id} has no scale register");
            }
            else if (fact["scale"] is { Length: > 0 } scale)
            {
                Assert.Equal(decimal.Parse(scale, System.Globalization.CultureInfo.InvariantCulture), encoding.Scale);
            }

            // The belt scale's units are set on the device; percent by volume is written as percent there.
            if (fact["unit"] is { Length: > 0 } unit)
            {
                Assert.Equal(unit, point.Unit == "%{vol}" ? "%" : point.Unit);
            }
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void Is_read_within_the_limits_it_states(string file)
    {
        var profile = Load(file).Profile!;
        var plan = ReadPlanner.Plan(profile.Points.Select((p, i) => (i, p.Encoding)), ReadLimits.Of(profile), ReadCost.Network(ReadCost.AssumedLatency, profile.MinGap));
        Assert.Equal(profile.Points.Count, plan.Sum(r => r.Points.Count));
        Assert.All(plan, r => Assert.InRange(r.Request.Quantity, 1, profile.MaxRegistersPerRead));
        if (!profile.MayReadGaps)
        {
            var stated = profile.Points.Select(p => (p.Encoding.Table, p.Encoding.Address, p.Encoding.Length)).ToList();
            Assert.All(plan, r => Assert.All(
                Enumerable.Range(r.Request.Address, r.Request.Quantity),
                a => Assert.Contains(stated, s => s.Table == r.Request.Table && a >= s.Address && a < s.Address + s.Length)));
        }
    }

    [Fact]
    public void Both_word_orders_and_all_sizes_are_among_the_profiles()
    {
        var encodings = Names.Select(f => Load(f).Profile!).SelectMany(p => p.Points).Select(p => p.Encoding).ToList();
        Assert.Contains(encodings, e => e.WordOrder == WordOrder.LowFirst && e.Length > 1);
        Assert.Contains(encodings, e => e.Type == RegisterType.UInt64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Int64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Float64);
        Assert.Contains(encodings, e => e.Type == RegisterType.Text);
        Assert.Contains(encodings, e => e.Type == RegisterType.DateTime);
        Assert.Contains(encodings, e => e.ScaleAt is not null);
    }

    private static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(string file) =>
        ProfileLoader.Load(new SourceText(file, File.ReadAllText(Path.Combine(Folder, file))));

    private static string TableName(RegisterTable table) => table switch
    {
        RegisterTable.HoldingRegister => "holding",
        RegisterTable.InputRegister => "input",
        RegisterTable.Coil => "coil",
        _ => "discrete",
    };

    private static List<Dictionary<string, string>> Facts()
    {
        var lines = File.ReadAllLines(RepositoryFiles.At("tests/EdgeGateway.Conformance/Profiles/facts.csv")).Where(l => !l.StartsWith('#')).ToList();
        var names = Fields(lines[0]);
        return [.. lines.Skip(1).Select(l => names.Zip(Fields(l)).ToDictionary(p => p.First, p => p.Second))];
    }

    // RFC 4180: fields in quotes may hold commas; quotes inside are doubled.
    private static List<string> Fields(string line)
    {
        var fields = new List<string> { "" };
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                fields.Add("");
            }
            else
            {
                fields[^1] += c;
            }
        }

        return fields;
    }
}
