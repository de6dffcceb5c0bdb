using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary><c>edgegateway profile new</c> at a terminal.</summary>
public sealed class NewProfileTests
{
    [Fact]
    public async Task A_person_at_a_terminal_ends_with_a_checked_profile()
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-new-").FullName;
        try
        {
            var (exit, read, errors) = await GatewayProcess.AtTerminalAsync(
                [
                    ("Kind of device", "\r"), ("Maker", "Maker\r"), ("name plate", "M100\r"), ("Identifier", "a b\r"), ("Write letters", "maker-m100\r"), ("Name for people", "Meter M100\r"),
                    ("register list", "M100 registers\r"), ("edition", "2024\r"), ("pages", "3\r"), ("Table", "\r"), ("Which word", "\r"), ("wire address 0", "40001\r"), ("Most registers", "\r"),
                    ("Point (", "frequency\r"), ("Role", "electricity.frequency\r"), ("Number printed", "40071\r"), ("Type", "\e[B\r"), ("Unit", "Hz\r"), ("Factor", "0.01\r"),
                    ("Point (", "\r"), ("Of which point", "\r"), ("Its registers", "5000\r"), ("What they mean", "50\r"),
                ],
                "profile", "new", "--out", folder);
            Assert.True(exit == 0, $"{read}\n{errors}");
            Assert.Contains("profile maker-m100 revision 1, 1 points: usable", read, StringComparison.Ordinal);
            var (checkedExit, said, wrong) = await GatewayProcess.CommandAsync("profile", "check", Path.Combine(folder, "energy-meter", "maker-m100.yaml"));
            Assert.True(checkedExit == 0, $"{said}\n{wrong}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
