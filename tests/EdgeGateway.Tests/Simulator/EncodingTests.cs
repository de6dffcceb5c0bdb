using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;

namespace EdgeGateway.Tests.Simulator;

/// <summary>The simulator shows its quantities in every type of register.</summary>
public sealed class EncodingTests
{
    [Fact]
    public void Gauges_and_counters_are_shown_in_every_type_and_order()
    {
        RegisterEncoding[] gauges =
        [
            .. Every(RegisterType.UInt32), .. Every(RegisterType.Int64), .. Every(RegisterType.Float16), .. Every(RegisterType.Bcd32), .. Every(RegisterType.Bcd64),
            .. Every(RegisterType.Mod10, 2), .. Every(RegisterType.Mod10, 4), .. Every(RegisterType.UInt16).Select(e => e with { ScaleAt = 9 }),
            .. Every(RegisterType.UInt64).Select(e => e with { Address = 2, ScaleAt = 0 }), .. Every(RegisterType.UInt32).Select(e => e with { Bit = 5, BitCount = 12 }),
        ];
        foreach (var encoding in gauges)
        {
            var site = Site(SiteBuilder.Gauge("v", "electricity.voltage.l1_n", "V", 0, encoding.Type, 1) with { Encoding = encoding });
            var (status, value, raw) = Read(site, encoding);
            Assert.Equal(DecodeStatus.Ok, status);
            Assert.InRange(value, 200, 260);
            Assert.Equal(site.Value(0), value, Math.Max(0.13, (double)RegisterCodec.StepOf(encoding, raw)));
        }
    }

    [Fact]
    public void Counters_are_exact_in_decimal_digits_and_with_a_scale_register()
    {
        RegisterEncoding[] counters =
        [
            .. Every(RegisterType.Bcd64), .. Every(RegisterType.Mod10, 3), .. Every(RegisterType.Mod10, 4),
            .. Every(RegisterType.UInt32).Select(e => e with { ScaleAt = 9 }), .. Every(RegisterType.Int64).Select(e => e with { ScaleAt = 9 }),
        ];
        foreach (var encoding in counters)
        {
            var site = Site(SiteBuilder.Counter("e", "electricity.energy.active.import", "W.h", 0, encoding.Type, 1) with { Encoding = encoding });
            for (var i = 1; i < 4; i++)
            {
                site.Step(site.Begin + TimeSpan.FromMinutes(7 * i));
                var (status, _, raw) = Read(site, encoding);
                Assert.Equal(DecodeStatus.Ok, status);
                Assert.Equal(decimal.Floor(site.Ledger(0).Reading), RegisterCodec.ReadingOf(encoding, raw));
            }
        }
    }

    [Fact]
    public void Texts_name_the_device_and_clocks_run()
    {
        var text = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = RegisterType.Text, Registers = 8 };
        var clock = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 8, Type = RegisterType.DateTime };
        var site = Site(
            SiteBuilder.Gauge("sn", "device.serial_number", "1", 0, RegisterType.Text, 1) with { Kind = PointKind.Text, Encoding = text },
            SiteBuilder.Gauge("time", "device.clock", "s", 0, RegisterType.DateTime, 1) with { Encoding = clock });
        var words = new ushort[12];
        site.Words(0, words);
        var serial = RegisterText.Decode(text, words);
        Assert.Matches("^[0-9]{6}$", serial);
        site.Words(1, words);
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(clock, words, out var seconds, out _));
        Assert.Equal(site.Begin.UnixMilliseconds / 1000, (long)seconds);
    }

    private static (DecodeStatus Status, double Value, ulong Raw) Read(SimulatedSite site, RegisterEncoding encoding)
    {
        var words = new ushort[16];
        Assert.Equal(encoding.Span.Length, site.Words(0, words));
        return (RegisterCodec.Decode(encoding, words, out var value, out var raw), value, raw);
    }

    private static SimulatedSite Site(params ReadOnlySpan<PointModel> points) =>
        new(new SiteBuilder().Device("d", "energy-meter", null, 1_000, new MeteringModel(MeterRole.Incomer, null, true, false), points).Build(), 3, new SteppedTime());

    private static IEnumerable<RegisterEncoding> Every(RegisterType type, int registers = 0) =>
        from words in new[] { WordOrder.HighFirst, WordOrder.LowFirst }
        from bytes in new[] { ByteOrder.Big, ByteOrder.Little }
        select new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = type, Registers = (byte)registers, WordOrder = words, ByteOrder = bytes };
}
