using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Sensors;

/// <summary>How captured scans are laid out and averaged. That the kernel captures is shown in the virtual machine.</summary>
public sealed class IioCaptureTests
{
    [Theory]
    [InlineData("le:s16/16>>0", new byte[] { 0x00, 0x19 }, 6400)]
    [InlineData("be:s16/16", new byte[] { 0xFF, 0xFE }, -2)]
    [InlineData("be:u12/16>>4", new byte[] { 0xAB, 0xCF }, 0xABC)]
    [InlineData("be:s12/16>>4", new byte[] { 0xAB, 0xCF }, 0xABC - 0x1000)]
    [InlineData("le:s12/16>>0", new byte[] { 0xDF, 0x7F }, -33)]
    [InlineData("le:u13/16>>0", new byte[] { 0x07, 0xE0 }, 7)]
    [InlineData("be:u24/32>>8", new byte[] { 0x12, 0x34, 0x56, 0xFF }, 0x123456)]
    [InlineData("be:s24/32>>8", new byte[] { 0xFF, 0xFF, 0xFF, 0x00 }, -1)]
    [InlineData("le:u8/8>>0", new byte[] { 0x80 }, 128)]
    [InlineData("le:s64/64>>0", new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F }, long.MaxValue)]
    public void A_value_is_taken_out_of_its_storage(string type, byte[] stored, long value) => Assert.Equal(value, IioSampleFormat.Parse(type).Read(stored));

    [Theory]
    [InlineData("")]
    [InlineData("le:s16")]
    [InlineData("le:s12/24>>0")]
    [InlineData("le:s16/16>>4")]
    [InlineData("le:s0/16")]
    [InlineData("le:s16/16X4>>0")]
    [InlineData("cpu:s16/16>>0")]
    public void A_form_that_cannot_be_read_is_refused(string type) =>
        Assert.Equal(SensorFault.Unsupported, Assert.Throws<SensorException>(() => IioSampleFormat.Parse(type)).Fault);

    [Fact]
    public void Values_stand_in_the_order_of_their_index_each_aligned_to_its_size()
    {
        // Two channels of 16 bits, a byte and the time stamp: at 0, 2, 4 and 8, in 16 bytes.
        var layout = new IioScanLayout(
            [(9, IioSampleFormat.Parse("le:s64/64>>0")), (0, IioSampleFormat.Parse("le:s16/16>>0")), (5, IioSampleFormat.Parse("le:u8/8>>0")), (3, IioSampleFormat.Parse("be:s16/16>>0"))]);
        byte[] scan = [0x01, 0x00, 0x00, 0x02, 0x03, 0, 0, 0, 0x04, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(16, layout.Bytes);
        Assert.Equal([4, 1, 3, 2], Enumerable.Range(0, 4).Select(i => layout.Read(scan, i)));
    }

    [Fact]
    public void A_scan_ends_at_a_multiple_of_its_largest_value() =>
        Assert.Equal(8, new IioScanLayout([(0, IioSampleFormat.Parse("le:s24/32>>0")), (1, IioSampleFormat.Parse("le:s16/16>>0"))]).Bytes);

    [Theory]
    [InlineData(50, 1000)]
    [InlineData(50, 317)]
    [InlineData(60, 860)]
    public void The_hum_of_the_mains_adds_up_to_nothing(double mains, double rate)
    {
        var times = Enumerable.Range(0, (int)(rate * 0.11)).Select(i => (long)(i * 1e9 / rate)).ToArray();
        var values = times.Select(t => 12 + (2 * Math.Sin((2 * Math.PI * mains * t / 1e9) + 1))).ToArray();

        Assert.Equal(12, MainsMean.Of(values, times, mains), 0.03);
    }

    [Fact]
    public void Less_than_a_period_has_no_mean()
    {
        Assert.True(double.IsNaN(MainsMean.Of([1, 2], [0, 10_000_000], 50)));
        Assert.True(double.IsNaN(MainsMean.Of([], [], 50)));
        Assert.Equal(1.5, MainsMean.Of([1, 2], [0, 20_000_000], 50));
        Assert.Equal(2, MainsMean.Of([1, 3], [0, 40_000_000], 50));
    }

    [Fact]
    public void A_driver_without_a_buffer_says_so()
    {
        using var tree = new SensorTreeDouble();
        tree.AddIio(0, "1-0048", "chip", ("in_voltage0_raw", "1"), ("in_voltage0_scale", "1"));
        var device = SensorInventory.Read(tree.Root).Devices[0];
        var refused = Assert.Throws<SensorException>(() => IioCapture.Start(device, ["in_voltage0"], null, 64, tree.Root));
        Assert.Equal("chip (i2c 1-0048) has no buffer: its driver only gives single readings", refused.Message);
    }

    [Fact]
    public void A_channel_that_is_not_in_the_buffer_is_refused_with_those_that_are()
    {
        using var tree = new SensorTreeDouble();
        var folder = tree.AddIio(0, "1-0048", "chip", ("in_voltage0_raw", "1"), ("in_voltage0_scale", "1"));
        Directory.CreateDirectory(Path.Combine(folder, "scan_elements"));
        Directory.CreateDirectory(Path.Combine(folder, "buffer"));
        SensorTreeDouble.Write(folder, "scan_elements/in_voltage1_en", "0");
        Directory.CreateDirectory(Path.Combine(tree.Root, "dev"));
        File.WriteAllText(Path.Combine(tree.Root, "dev", "iio:device0"), "");
        var refused = Assert.Throws<SensorException>(() => IioCapture.Start(SensorInventory.Read(tree.Root).Devices[0], ["in_voltage0"], null, 64, tree.Root));
        Assert.Equal((SensorFault.NoChannel, "chip (i2c 1-0048) cannot capture in_voltage0: its buffer has in_voltage1"), (refused.Fault, refused.Message));
    }
}
