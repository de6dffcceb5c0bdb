using EdgeGateway.Buses;

namespace EdgeGateway.Tests.Buses;

public sealed class PortNameTests
{
    [Theory]
    [InlineData("/dev/ttyUSB0")]
    [InlineData("/dev/ttyACM12")]
    public void A_name_that_counts_adapters_gets_a_warning_with_the_cure(string path) =>
        Assert.Contains("/dev/serial/by-id", PortNames.Advise(path, []), StringComparison.Ordinal);

    [Theory]
    [InlineData("/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0")]
    [InlineData("/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2:1.0-port0")]
    [InlineData("/dev/ttyAMA0")]
    [InlineData("/dev/ttyS1")]
    [InlineData("/dev/meters")]
    public void A_name_that_stays_gets_none(string path) => Assert.Null(PortNames.Advise(path, []));

    [Fact]
    public void The_stable_name_of_an_adapter_that_is_there_is_proposed()
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-names-").FullName;
        try
        {
            var other = Path.Combine(folder, "usb-other");
            var stable = Path.Combine(folder, "usb-conveyor");
            File.CreateSymbolicLink(other, "/dev/ttyUSB98");
            File.CreateSymbolicLink(stable, "/dev/ttyUSB99");

            Assert.EndsWith($"Write {stable}", PortNames.Advise("/dev/ttyUSB99", [Path.Combine(folder, "none"), folder]), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
