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
