using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Tests.Simulator;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Every profile of the repository against a simulated device of every profile: the right one must come first, or level with a sister.</summary>
public sealed class ProfileFitsTests
{
    private static readonly Dictionary<string, DeviceProfile> Profiles = LoadAll();

    public static TheoryData<string> Meters => [.. Profiles.Values.Where(p => p.Kind == "energy-meter").Select(p => p.Id).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Ids => [.. Profiles.Keys.Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Ids))]
    public void The_right_profile_ranks_first_on_a_device_that_refuses_what_it_does_not_have(string id)
    {
        var ranking = ProfileFits.Rank(Profiles.Values, Read(id, (_, _, snapshot, span, table) => snapshot.PutRefused(table, span.First, span.Length)), []);
        Assert.True(ranking[0].Profile.Id == id || IsLevelWithSister(ranking, id) || IsOnItsModule(ranking[0].Profile, id), Describe(ranking));
    }

    [Theory, MemberData(nameof(Ids))]
    public void The_right_profile_ranks_first_on_a_device_that_answers_0_where_it_has_nothing(string id)
    {
        var ranking = ProfileFits.Rank(Profiles.Values, Read(id, (device, site, snapshot, span, table) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                Span<ushort> word = [0];
                _ = site.TryRead(device, table, span.First + i, word);
                snapshot.Put(table, span.First + i, word);
            }
        }), []);

        // A relay board whose relays are all off shows nothing but zeros itself: it cannot be told from any other. Signals of a module that nothing refuses may be anybody's values.
        var right = ranking.Single(f => f.Profile.Id == id);
        var showsNothing = right.Reasons.Any(r => r.EndsWith("which proves nothing", StringComparison.Ordinal));
        var isAmbiguous = right.IsPossible && (showsNothing ? ranking[0].Percent == 0 : Profiles[id].Kind == "remote-io");
        Assert.True(ranking[0].Profile.Id == id || IsLevelWithSister(ranking, id) || IsOnItsModule(ranking[0].Profile, id) || isAmbiguous, Describe(ranking));
    }

    [Theory, MemberData(nameof(Meters))]
    public void A_module_of_raw_signals_never_ranks_before_a_meter(string id)
    {
        // Input and holding registers show the same, what is missing reads 0, and inputs are on by turns: a raw module finds all of its signals alive.
        Assert.All([Read(id, Mirror), Read(id, Mirror, IsMissing)], registers =>
        {
            var ranking = ProfileFits.Rank(Profiles.Values, registers, []);
            Assert.True(ranking[0].Profile.Kind != "remote-io", Describe(ranking));
        });

        // An older firmware, which has two in three of the registers, and those that tell its type.
        bool IsMissing(RegisterSpan span) => span.First % 3 == 0 && Profiles[id].Identify.All(probe => probe.Encoding.Span.End <= span.First || probe.Encoding.Span.First >= span.End);
    }

    [Fact]
    public void A_module_of_raw_signals_ranks_first_where_nothing_else_fits()
    {
        Assert.Equal("welipu-wp3082adam", ProfileFits.Rank(Profiles.Values, Read("welipu-wp3082adam", Refuse), [])[0].Profile.Id);
        Assert.Equal("moxa-iologik-e1240", ProfileFits.Rank(Profiles.Values, Read("moxa-iologik-e1240", Refuse), [])[0].Profile.Id);
    }

    [Fact]
    public void The_reasons_are_words_that_a_technician_can_check()
    {
        var fit = ProfileFits.Rank(Profiles.Values, Read("abb-b23-b24", Refuse), [])[0];
        Assert.Contains(fit.Reasons, r => r.StartsWith("frequency ", StringComparison.Ordinal) && r.EndsWith("Hz is that of the mains", StringComparison.Ordinal));
        Assert.Contains(fit.Reasons, r => r.StartsWith("voltages 2", StringComparison.Ordinal) && r.EndsWith("V plausible", StringComparison.Ordinal));
        Assert.Contains(fit.Reasons, r => r.StartsWith("V x I x power factor agrees with the power within", StringComparison.Ordinal));
        Assert.Contains(fit.Reasons, r => r.StartsWith("sum of phases agrees with the total active power within", StringComparison.Ordinal));
    }

    [Fact]
    public void A_type_register_decides_and_another_type_excludes()
    {
        var abb = Profiles["abb-b23-b24"];
        var snapshot = Read(abb.Id, Refuse);
        snapshot.Put(RegisterTable.HoldingRegister, 0x8960, [0x4232, 0x3420]);
        var fit = ProfileFits.Rank([abb], snapshot, [])[0];
        Assert.Contains("its type register 35168 (0x8960) names B24", fit.Reasons[0], StringComparison.Ordinal);

        snapshot.Put(RegisterTable.HoldingRegister, 0x8960, [0x4133, 0x3420]);
        Assert.False(ProfileFits.Rank([abb], snapshot, [])[0].IsPossible);
        Assert.False(ProfileFits.PassesProbes(abb, snapshot));
    }

    [Theory]
    [InlineData(RegisterType.Float16, new ushort[] { 0x0001 })]
    [InlineData(RegisterType.Float32, new ushort[] { 0x0000, 0x0001 })]
    public void A_float_that_is_next_to_nothing_speaks_against_a_profile(RegisterType type, ushort[] words)
    {
        var meter = Profiles["eastron-sdm120"];
        var point = meter.Points[0];
        var encoding = new RegisterEncoding { Address = 0, Type = type, Table = RegisterTable.HoldingRegister, Scale = 0.001m };
        var snapshot = new RegisterSnapshot();
        snapshot.Put(RegisterTable.HoldingRegister, 0, words);

        var fit = ProfileFits.Rank([meter with { Points = [point with { Encoding = encoding }], Identify = [] }], snapshot, [])[0];

        Assert.Contains(fit.Reasons, r => r.StartsWith("1 of 1 values cannot be", StringComparison.Ordinal));
    }

    [Fact]
    public void A_name_that_the_device_gives_breaks_a_tie()
    {
        var empty = new RegisterSnapshot();
        var twins = new[] { Twin("a", "Acme", "P100"), Twin("b", "Acme", "P200") };
        Assert.Equal("b", ProfileFits.Rank(twins, empty, ["Acme Power", "P-200 rev 3"])[0].Profile.Id);
        Assert.Contains("P200", ProfileFits.Rank(twins, empty, ["Acme Power", "P-200 rev 3"])[0].Reasons[0], StringComparison.Ordinal);

        static DeviceProfile Twin(string id, string vendor, string model) => Profiles["eastron-sdm120"] with { Id = id, Vendor = vendor, Models = [model], Identify = [] };
    }

    [Fact]
    public void A_device_that_answers_0_everywhere_fits_nothing()
    {
        var snapshot = new RegisterSnapshot();
        foreach (var (table, span) in Wanted())
        {
            snapshot.Put(table, span.First, new ushort[span.Length]);
        }

        Assert.All(ProfileFits.Rank(Profiles.Values, snapshot, []), fit => Assert.True(fit.Percent <= 10, $"{fit.Profile.Id}: {fit.Percent} %, {string.Join("; ", fit.Reasons)}"));
    }

    /// <summary>
    /// Meters of one family share most registers: nothing that the device shows refutes the sister, least of all when it answers 0 where it has nothing. A scan says
    /// of profiles this close that they fit about equally well.
    /// </summary>
    // What is wired to the inputs of a module cannot be seen from its registers: the module itself comes first.
    private static bool IsOnItsModule(DeviceProfile first, string id) => Profiles[id].Extends is { } module && (module == first.Id || IsOnItsModule(first, module));

    private static bool IsLevelWithSister(IReadOnlyList<ProfileFit> ranking, string id)
    {
        var right = ranking.Single(f => f.Profile.Id == id);
        var registers = right.Profile.Points.Select(Register).ToHashSet();
        return right.IsPossible && right.Percent >= ranking[0].Percent - 3 && 2 * ranking[0].Profile.Points.Count(p => registers.Contains(Register(p))) > ranking[0].Profile.Points.Count;

        static (RegisterTable, RegisterSpan, WordOrder, decimal) Register(ProfilePoint point) =>
            (point.Encoding.Table, point.Encoding.Span, point.Encoding.WordOrder, point.Encoding.Scale);
    }

    private static void Refuse(int device, SimulatedSite site, RegisterSnapshot snapshot, RegisterSpan span, RegisterTable table) =>
        snapshot.PutRefused(table, span.First, span.Length);

    private static void Mirror(int device, SimulatedSite site, RegisterSnapshot snapshot, RegisterSpan span, RegisterTable table)
    {
        var other = table == RegisterTable.InputRegister ? RegisterTable.HoldingRegister : RegisterTable.InputRegister;
        for (var i = 0; i < span.Length; i++)
        {
            Span<ushort> word = [0];
            if (table is RegisterTable.InputRegister or RegisterTable.HoldingRegister)
            {
                _ = site.TryRead(device, table, span.First + i, word) || site.TryRead(device, other, span.First + i, word);
            }
            else
            {
                word[0] = (ushort)((span.First + i) & 1);
            }

            snapshot.Put(table, span.First + i, word);
        }
    }

    /// <summary>Reads every register that any profile asks for from a simulated device.</summary>
    private static RegisterSnapshot Read(string id, Action<int, SimulatedSite, RegisterSnapshot, RegisterSpan, RegisterTable> refused, Func<RegisterSpan, bool>? hides = null)
    {
        var site = new SimulatedSite(SiteOf(id), 21, new SteppedTime(new DateTimeOffset(2026, 3, 2, 10, 0, 0, TimeSpan.Zero)));
        site.Step(site.Begin + TimeSpan.FromSeconds(120));
        var snapshot = new RegisterSnapshot();
        foreach (var (table, span) in Wanted())
        {
            var words = new ushort[span.Length];
            if (hides?.Invoke(span) == true && site.TryRead(0, table, span.First, words))
            {
                snapshot.PutRefused(table, span.First, span.Length);
            }
            else if (site.TryRead(0, table, span.First, words))
            {
                snapshot.Put(table, span.First, words);
            }
            else
            {
                refused(0, site, snapshot, span, table);
            }
        }

        return snapshot;
    }

    private static IEnumerable<(RegisterTable Table, RegisterSpan Span)> Wanted() => Profiles.Values
        .SelectMany(p => p.Points.Select(point => point.Encoding).Concat(p.Identify.Select(probe => probe.Encoding)))
        .Select(e => (e.Table, e.Span))
        .Distinct();

    private static string Describe(IEnumerable<ProfileFit> ranking) =>
        string.Join('\n', ranking.Take(4).Select(f => $"{f.Profile.Id} {f.Percent} % {f.IsPossible}: {string.Join("; ", f.Reasons)}"));

    private static Dictionary<string, DeviceProfile> LoadAll()
    {
        // SunSpec models are found by the device's own list of them, and judged where they stand. Inputs of the gateway's own computer are on no wire.
        var files = new SiteFiles([RepositoryFiles.At("device-profiles")]);
        return files.ProfilePaths.Keys
            .Select(id => ReadyProfiles.Load(files.Text(id), files.Text))
            .Where(p => p.SunSpec is null && !p.IsLocal)
            .ToDictionary(p => p.Id);
    }

    private static SiteModel SiteOf(string id) => ProfileImageTests.SiteOf(id);
}
