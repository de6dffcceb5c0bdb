using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

/// <summary>What <c>read</c> tells a technician beyond the number.</summary>
public class ReadingDocumentTests
{
    [Fact]
    public void A_state_tells_its_symbol_or_that_it_has_no_name()
    {
        var mode = Point(RegisterType.UInt16) with { Symbols = new Dictionary<long, string> { [1] = "on" } };
        Assert.Equal(("on", null), (Read(mode, 1).Symbol, Read(mode, 1).Text));
        Assert.Equal((null, "no name for 7"), (Read(mode, 7).Symbol, Read(mode, 7).Text));
    }

    [Fact]
    public void A_status_word_tells_which_flags_are_set()
    {
        var status = Point(RegisterType.UInt16) with { Flags = new Dictionary<int, string> { [0] = "over voltage", [3] = "phase missing" } };
        Assert.Equal("over voltage, phase missing, bit 5 (no name)", Read(status, 0x0029).Text);
        Assert.Equal("none set", Read(status, 0).Text);
    }

    [Fact]
    public void A_date_tells_its_day_and_whose_time_it_is()
    {
        var clock = Point(RegisterType.DateTime) with { Unit = "s" };
        Assert.Equal("2026-11-22 16:21:26 UTC", Read(clock, 26, 0x0B16, 0x1015, 26_500).Text);
        clock = clock with { Encoding = clock.Encoding with { IsLocalTime = true } };
        Assert.Equal("2026-11-22 16:21:26 local time of the device", Read(clock, 26, 0x0B16, 0x1015, 26_500).Text);
        Assert.Equal((null, "bad", "no date (clock not set?)"), (Read(clock, 0, 0, 0, 0).Value, Read(clock, 0, 0, 0, 0).Quality, Read(clock, 0, 0, 0, 0).Reason));
    }

    [Fact]
    public void A_text_is_shown_as_text_and_has_no_value()
    {
        var serial = Point(RegisterType.Text) with { Kind = PointKind.Text };
        serial = serial with { Encoding = serial.Encoding with { Registers = 2 } };
        var document = Read(serial, 0x5375, 0x6E53);
        Assert.Equal(("SunS", null, "good", ""), (document.Text, document.Value, document.Quality, document.Raw));
    }

    [Fact]
    public void A_value_with_a_scale_register_shows_both()
    {
        var point = Point(RegisterType.Int16);
        point = point with { Encoding = point.Encoding with { ScaleAt = 2 } };
        Assert.Equal((-0.2, "0xFFFE x 10^-1"), (Read(point, 0xFFFE, 0, 0xFFFF).Value, Read(point, 0xFFFE, 0, 0xFFFF).Raw));
        Assert.Equal((null, "0xFFFE", "device says 'not available'"), (Read(point, 0xFFFE, 0, 0x8000).Value, Read(point, 0xFFFE, 0, 0x8000).Raw, Read(point, 0xFFFE, 0, 0x8000).Reason));
        Assert.Equal("scale register without a power of ten", Read(point, 0xFFFE, 0, 11).Reason);
    }

    [Fact]
    public void A_value_that_is_not_plausible_is_shown_as_uncertain()
    {
        var point = Point(RegisterType.UInt16) with { Kind = PointKind.Gauge, PlausibleMin = 4, PlausibleMax = 20 };
        Assert.Equal("good", Read(point, 20).Quality);
        Assert.Equal((21, "uncertain", "out of the plausible range"), (Read(point, 21).Value, Read(point, 21).Quality, Read(point, 21).Reason));
    }

    private static PointModel Point(RegisterType type) => ExampleFeed.Site.Points[0] with
    {
        Kind = PointKind.State,
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = type },
    };

    private static PointReadingDocument Read(PointModel point, params ushort[] words)
    {
        var site = ExampleFeed.Site with { Points = [point, .. ExampleFeed.Site.Points.Skip(1)] };
        var reading = DeviceReader.Decode(point, new ReadRequest(RegisterTable.HoldingRegister, 0, (ushort)words.Length), words, 1);
        return ReadingDocuments.Make(site, site.Devices[0], [reading]).Points[0];
    }
}
