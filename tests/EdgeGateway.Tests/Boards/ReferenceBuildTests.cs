using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Boards;

/// <summary>The reference builds of <c>hardware</c>: what lies in their folders fits together.</summary>
public class ReferenceBuildTests
{
    private static readonly string[] Folders = ["pi-rs485-opto", "zero-usb-rs485", "cm4-industrial"];

    public static TheoryData<string> Builds => [.. Folders];

    public static TheoryData<string> Configurations =>
        [.. Folders.SelectMany(f => Directory.EnumerateFiles(RepositoryFiles.At($"hardware/{f}"), "gateway*.yaml")).Order(StringComparer.Ordinal).Select(f => Path.GetRelativePath(RepositoryFiles.At(""), f))];

    [Theory, MemberData(nameof(Builds))]
    public void A_build_has_everything_that_a_technician_needs(string build) =>
        Assert.All((string[])["README.md", "bom.csv", "config.txt", "gateway.yaml", "wiring.yaml", "wiring.svg", "checklist.md"], f => Assert.True(File.Exists(RepositoryFiles.At($"hardware/{build}/{f}")), $"{build} has no {f}"));

    [Theory, MemberData(nameof(Configurations))]
    public void The_configuration_of_a_build_passes_the_check_without_a_word(string file)
    {
        var profiles = RepositoryFiles.Profiles.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f);
        var (model, problems) = SiteLoader.Load(
            new SourceText(file, File.ReadAllText(RepositoryFiles.At(file))),
            id => profiles.TryGetValue(id, out var path) ? new SourceText(Path.GetFileName(path), File.ReadAllText(path)) : null,
            knownProfiles: profiles.Keys);

        Assert.Equal("", string.Join("\n", problems));
        Assert.NotNull(model);
    }

    [Theory, MemberData(nameof(Builds))]
    public void Configuration_wiring_and_config_txt_speak_of_the_same_board(string build)
    {
        var gateway = Map($"hardware/{build}/gateway.yaml").Map("gateway")!;
        var board = Map($"hardware/{build}/wiring.yaml").List("parts").OfType<YamlMap>().Single(p => p.Text("board") is not null);
        var config = File.ReadAllLines(RepositoryFiles.At($"hardware/{build}/config.txt")).Select(l => l.Split('#')[0].Trim()).ToList();

        Assert.Equal(gateway.Text("board"), board.Text("board"));
        Assert.Equal(Texts(gateway), Texts(board));
        Assert.All(Texts(gateway), setting => Assert.Contains(setting, config));
    }

    [Theory, MemberData(nameof(Configurations))]
    public void Every_input_is_wired_and_every_wired_line_is_an_input(string file)
    {
        var wired = Map(Path.Combine(Path.GetDirectoryName(file)!, "wiring.yaml")).List("parts").OfType<YamlMap>().Single(p => p.Text("board") is not null).List("left")
            .OfType<YamlScalar>().Select(t => t.Text.Split(' ')).Where(w => w.Length == 2 && w[1].StartsWith("GPIO", StringComparison.Ordinal)).Select(w => w[1]);
        var inputs = Map(file).List("buses").OfType<YamlMap>().SelectMany(b => b.List("inputs")).OfType<YamlMap>().Select(i => i.Text("line")!);

        Assert.Equal(wired, inputs);
    }

    [Theory, MemberData(nameof(Builds))]
    public void Every_part_of_the_bill_has_a_reason_and_stands_in_the_drawing_or_says_that_it_does_not(string build)
    {
        var lines = File.ReadAllLines(RepositoryFiles.At($"hardware/{build}/bom.csv"));
        var drawn = Map($"hardware/{build}/wiring.yaml").List("parts").OfType<YamlMap>().Select(p => p.Text("id")!).ToHashSet();

        Assert.Equal("designation;part;quantity;why;rating that matters;example;source", lines[0]);
        Assert.All(lines.Skip(1), line =>
        {
            var fields = line.Split(';');
            Assert.Equal(7, fields.Length);
            Assert.All(fields, f => Assert.NotEqual("", f.Trim()));
            Assert.All(fields[0].Split(' ').Where(d => d != "-"), d => Assert.Contains(d, drawn));
        });
    }

    private static string[] Texts(YamlMap map) => [.. map.List("with").OfType<YamlScalar>().Select(s => s.Text)];

    private static YamlMap Map(string file)
    {
        var problems = new ProblemCollector();
        var node = YamlText.Read(new(file, File.ReadAllText(RepositoryFiles.At(file))), problems);
        Assert.Empty(problems.ToList());
        return Assert.IsType<YamlMap>(node);
    }
}
