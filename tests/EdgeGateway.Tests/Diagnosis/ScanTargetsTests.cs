using EdgeGateway.Protocols.Serial;
using EdgeGateway.Scanning;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Ranges as people write them.</summary>
public sealed class ScanTargetsTests
{
    [Theory]
    [InlineData("1-3,7", "1 2 3 7")]
    [InlineData(" 5 , 2 ", "2 5")]
    [InlineData("0-255", null)]
    public void Unit_ids(string text, string? expected)
    {
        var units = ScanTargets.Units(text);
        Assert.Equal(expected ?? string.Join(' ', Enumerable.Range(0, 256)), string.Join(' ', units));
    }

    [Theory]
    [InlineData("192.168.1.0/30", "192.168.1.1:502 192.168.1.2:502")]
    [InlineData("192.168.1.6/30:1502", "192.168.1.5:1502 192.168.1.6:1502")]
    [InlineData("10.0.0.7/32", "10.0.0.7:502")]
    [InlineData("10.0.0.9-11", "10.0.0.9:502 10.0.0.10:502 10.0.0.11:502")]
    [InlineData("meter-1.plant:503", "meter-1.plant:503")]
    [InlineData("[::1]:1502", "::1:1502")]
    [InlineData("fe80::1", "fe80::1:502")]
    public void Hosts(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', ScanTargets.Hosts(text).Select(h => $"{h.Host}:{h.Port}")));

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("10.0.0.20-10")]
    [InlineData("10.0.0.1:0")]
    [InlineData("10.0.0.1:x")]
    [InlineData("::1/64")]
    [InlineData("a/b")]
    [InlineData("")]
    public void A_range_that_cannot_be_is_refused_with_the_cure(string text)
    {
        var refusal = Assert.Throws<FormatException>(() => ScanTargets.Hosts(text));
        Assert.Contains("rite", refusal.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("0-256"), InlineData("a"), InlineData("9-1"), InlineData("1-2-3"), InlineData("")]
    public void Unit_ids_that_cannot_be_are_refused(string text) => Assert.Throws<FormatException>(() => ScanTargets.Units(text));

    [Fact]
    public void Unit_0_is_all_units_of_a_line_and_never_asked_there()
    {
        // MODBUS over serial line V1.02, 2.2: addresses 1 to 247; 0 is the broadcast, which nobody answers.
        Assert.Equal([1, 2, 3], ScanTargets.OnLine(ScanTargets.Units("0-3")));
        Assert.Equal(Enumerable.Range(1, 247), ScanTargets.OnLine(null).Select(u => (int)u));
        Assert.Contains("write numbers of 1 to 247", Assert.Throws<FormatException>(() => ScanTargets.OnLine(ScanTargets.Units("0"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_speed_is_tried_with_the_adapter_framing_and_silences_of_the_file()
    {
        var direction = new Core.Site.Rs485Model(true, false, TimeSpan.FromMilliseconds(1), TimeSpan.Zero, false, true);
        var bus = new Core.Site.ModbusAsciiBus
        {
            Id = "line",
            Port = "/dev/ttyS1",
            Baud = 9600,
            Parity = Core.Site.SerialParity.Even,
            StopBits = 1,
            DataBits = 7,
            Silence = TimeSpan.FromMilliseconds(8),
            Turnaround = TimeSpan.FromMilliseconds(150),
            Rs485 = direction,
            LowLatency = false,
            Timeout = TimeSpan.FromSeconds(1),
        };
        var tried = Scanner.ModelOf(bus.Port, bus, new() { Baud = 19200, Parity = SerialParity.Odd, StopBits = 2 }, TimeSpan.FromMilliseconds(200));
        Assert.Equal(bus with { Baud = 19200, Parity = Core.Site.SerialParity.Odd, StopBits = 2, Timeout = TimeSpan.FromMilliseconds(200) }, tried);
    }

    [Theory, InlineData(50, 1000), InlineData(400, 1600), InlineData(500, 2000), InlineData(2000, 2000)]
    public void A_slow_unit_is_never_waited_for_longer_than_the_running_gateway_allows(int timeout, int patience) =>
        Assert.Equal(patience, Scanner.Patience(TimeSpan.FromMilliseconds(timeout)).TotalMilliseconds);

    [Fact]
    public void The_likely_settings_of_a_line_come_first()
    {
        var lines = ScanTargets.Lines(null, null).Select(l => l.ToString()).ToArray();
        Assert.Equal(["9600 8N1", "19200 8N1", "115200 8N1"], lines.Take(3));
        Assert.True(Array.IndexOf(lines, "9600 8E1") < Array.IndexOf(lines, "57600 8N1"));
        Assert.Equal(lines.Length, lines.Distinct().Count());
        Assert.Equal([new SerialSettings { Baud = 4800, Parity = SerialParity.Even }], ScanTargets.Lines("4800", "even"));
        Assert.Throws<FormatException>(() => ScanTargets.Lines("fast", null));
        Assert.Throws<FormatException>(() => ScanTargets.Lines(null, "mark"));
    }
}
