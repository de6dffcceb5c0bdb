using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>The catalogue in <c>docs/catalogue</c> is made from the profiles as they are.</summary>
public class CatalogueTests
{
    private const string Folder = "docs/catalogue";

    private static readonly IReadOnlyDictionary<string, string> Pages = ProfileCatalogue.Pages(Library());

    public static TheoryData<string> Files => [.. ProfileFiles.Names];

    [Theory, MemberData(nameof(Files))]
    public void Catalogue_page_is_present_and_says_what_the_profile_says(string file) => CheckPublished($"{Path.GetFileNameWithoutExtension(file)}.md");

    [Fact]
    public void The_index_lists_every_profile()
    {
        CheckPublished(ProfileCatalogue.Index);
        Assert.All(ProfileFiles.Names, n => Assert.Contains($"({Path.GetFileNameWithoutExtension(n)}.md)", Pages[ProfileCatalogue.Index], StringComparison.Ordinal));
    }

    [Fact]
    public void There_is_no_page_of_a_profile_that_is_gone() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(ProfileFiles.Root, Folder)).Select(Path.GetFileName), n => !Pages.ContainsKey(n!));

    [Fact]
    public void Pages_do_not_depend_on_the_order_in_which_files_are_found() =>
        Assert.Equal(Pages, ProfileCatalogue.Pages([.. Library().Reverse()]));

    [Theory, MemberData(nameof(Files))]
    public void The_entry_for_gateway_yaml_can_be_copied(string file)
    {
        var page = Pages[$"{Path.GetFileNameWithoutExtension(file)}.md"];
        var entry = page.Split("```yaml\n")[1].Split("```")[0];
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                schema: edgegateway/gateway/1
                site: { id: test, timezone: UTC, region: CN }
                gateway: { id: test }
                buses: [{ id: bus-1, type: modbus-tcp, host: 127.0.0.1 }]

                """ + entry),
            ProfileFiles.ById);
        Assert.True(model is not null, string.Join('\n', problems));
        Assert.Equal(Path.GetFileNameWithoutExtension(file), model.Devices.Single().Profile.Id);
    }

    [Fact]
    public void A_page_says_what_a_technician_and_an_auditor_ask()
    {
        var page = Pages["sunspec-103.md"];
        Assert.All(
            (string[])
            [
                "# SunSpec three-phase inverter (model 103)", "SunSpec 三相逆变器（模型 103）", "| Variants | [sunspec-101](sunspec-101.md), [sunspec-102](sunspec-102.md) |", "| Wiring | Modbus TCP port 502", "the high word stands in the lower address",
                "| `current_l1`, `current_l2`, `current_l3` | Current | holding 3, 4, 5 (0x0003 …) | uint16 x 10^[6] | `A` | 10 s | no value: 0xFFFF | sunspec |", "bit 0 ground fault (alarm)", "bit 6 manual shutdown,",
                "**types**: sunspec/pysunspec2 sunspec2/mb.py, commit 1cd853f (checked in the original;".Replace("_", "\\_", StringComparison.Ordinal), "holding 1: The register holds the length of the model.", "profile: sunspec-103, bus: bus-1, unit: 1",
            ],
            said => Assert.Contains(said, page, StringComparison.Ordinal));
        Assert.Contains("| Inherits from | [sunspec-103](sunspec-103.md) |", Pages["sunspec-101.md"], StringComparison.Ordinal);
        Assert.Contains("| 0 = CO value not valid (warning) |", Pages["mr-msense-dga-2.md"], StringComparison.Ordinal);
    }

    private static IReadOnlyList<DeviceProfile> Library() => [.. ProfileFiles.Names.Select(n => ProfileFiles.Load(n).Profile).OfType<DeviceProfile>()];

    private static void CheckPublished(string page)
    {
        var path = Path.Combine(ProfileFiles.Root, Folder, page);
        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == Pages.GetValueOrDefault(page),
            $"{Folder}/{page} is {(File.Exists(path) ? "stale" : "missing")}: run 'dotnet run --project src/EdgeGateway -- profile catalogue {Folder} --profiles device-profiles' and commit it");
    }
}
