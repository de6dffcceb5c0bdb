using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary><c>edgegateway wiring</c>: a technician moves one wire and draws the diagram anew.</summary>
public sealed class WiringCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-wiring-").FullName;

    [Fact]
    public async Task A_moved_wire_is_drawn_anew_and_a_loose_one_is_refused()
    {
        var file = Path.Combine(_folder, "wiring.yaml");
        var text = await File.ReadAllTextAsync(RepositoryFiles.At("hardware/zero-usb-rs485/wiring.yaml"));
        await File.WriteAllTextAsync(file, text);
        Assert.Equal(0, (await GatewayProcess.CommandAsync("wiring", file)).Item1);
        var before = await File.ReadAllTextAsync(Path.Combine(_folder, "wiring.svg"));
        Assert.Equal(await File.ReadAllTextAsync(RepositoryFiles.At("hardware/zero-usb-rs485/wiring.svg")), before);

        await File.WriteAllTextAsync(file, text.Replace("from: P2.C, to: P1.C, colour: GN", "from: P2.C, to: W2.C, colour: VT", StringComparison.Ordinal));
        var other = Path.Combine(_folder, "other.svg");
        Assert.Equal(0, (await GatewayProcess.CommandAsync("wiring", file, "--out", other)).Item1);
        Assert.Contains("16  P2.C to W2.C  VT 0.5 mm2", await File.ReadAllTextAsync(other), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(_folder, "wiring.svg")));

        File.Delete(other);
        await File.WriteAllTextAsync(file, text.Replace("from: P2.C,", "from: P2.D,", StringComparison.Ordinal));
        var (code, _, errors) = await GatewayProcess.CommandAsync("wiring", file, "--out", other);
        Assert.Equal(2, code);
        Assert.Contains("error: the part P2 has no terminal 'D'. Its terminals: A, B, C", errors, StringComparison.Ordinal);
        Assert.Contains("error: no wire leads to P2.C.", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(other), "drawn all the same");
    }

    [Fact]
    public async Task Check_finds_configurations_and_drawings_of_all_reference_builds()
    {
        var (code, output, errors) = await GatewayProcess.CommandAsync("check", RepositoryFiles.At("hardware"), "--profiles", RepositoryFiles.At("device-profiles"));

        Assert.True(code == 0, $"{output}\n{errors}");
        Assert.Equal(4, output.Split('\n').Count(l => l.Contains(": site ", StringComparison.Ordinal)));
        Assert.Equal(3, output.Split('\n').Count(l => l.Contains(": wiring HW-", StringComparison.Ordinal)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
