using EdgeGateway.Core;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Configuration;
using EdgeGateway.Tests.Lines;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Which changes of a configuration let the owner of a bus go on, and what becomes of the numbers of its points.</summary>
public sealed class PolledAlikeTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, name: Main, area: east, ratedPower: 400 kW, metering: { role: incomer }", true)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, samples: all, metering: { role: incomer }", true)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, points: { voltage_l1_n: { limits: off } }, metering: { role: incomer }", true)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, ct: 200/5, metering: { role: incomer }", false)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, timeout: 900ms, metering: { role: incomer }", false)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, points: { voltage_l1_n: { poll: 2s } }, metering: { role: incomer }", false)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 1, points: { voltage_l1_n: { poll: off } }, metering: { role: incomer }", false)]
    [InlineData("unit: 1, metering: { role: incomer }", "unit: 9, metering: { role: incomer }", false)]
    [InlineData("port: 1502", "port: 1503", false)]
    public void What_is_no_matter_of_polling_lets_the_owner_of_a_bus_go_on(string passage, string becomes, bool goesOn)
    {
        var before = Texts.Load(Texts.Gateway).Model!;
        var after = Texts.Load(passage.Length == 0 ? Texts.Gateway : Texts.Gateway.With(passage, becomes)).Model!;
        Assert.Equal(goesOn, PolledAlike.Bus(before, before.Buses[0], after));

        // The devices that are left as they were are known again even where the owner does not go on.
        Assert.True(PolledAlike.Device(before, before.Devices[1], after, after.Devices[1]));
    }

    [Fact]
    public void Another_register_or_another_meaning_of_one_ends_the_owner()
    {
        var before = Texts.Load(Texts.Gateway).Model!;
        var profile = Texts.Profile.With("maxRegistersPerRead: 64", "maxRegistersPerRead: 60");
        var after = Texts.Load(Texts.Gateway, profile).Model!;
        Assert.False(PolledAlike.Bus(before, before.Buses[0], after));
        Assert.True(PolledAlike.Bus(after, after.Buses[0], Texts.Load(Texts.Gateway, profile).Model!));
        Assert.False(PolledAlike.Bus(before, before.Buses[0], Texts.Load(Texts.Gateway, Texts.Profile.With("type: int32, scale: 0.01, unit: W", "type: int32, scale: 0.1, unit: W")).Model!));
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("pulsesPerUnit: 1000", "pulsesPerUnit: 500", false)]
    [InlineData("debounce: 20ms", "debounce: 30ms", false)]
    [InlineData("offset: 4, offsetB: 5", "offset: 6, offsetB: 5", false)]
    public void Lines_go_on_only_when_every_one_of_them_is_as_it_was(string passage, string becomes, bool goesOn)
    {
        var before = GpioSiteTests.Load(GpioSiteTests.Site).Model!;
        var after = GpioSiteTests.Load(passage.Length == 0 ? GpioSiteTests.Site : GpioSiteTests.Site.Replace(passage, becomes, StringComparison.Ordinal)).Model!;
        Assert.Equal(goesOn, PolledAlike.Bus(before, before.Buses[0], after));
    }

    [Fact]
    public void Readings_of_an_owner_that_goes_on_find_their_points_under_the_new_numbers_and_those_of_changed_devices_find_none()
    {
        var before = Texts.Load(Texts.Gateway).Model!;
        var after = Texts.Load(Texts.Gateway.With("unit: 1, metering: { role: incomer }", "unit: 1, points: { voltage_l1_n: { poll: off } }, metering: { role: incomer }")).Model!;
        var numbers = new PointNumbers(after, 1, [(0, before)]);
        foreach (var point in before.Points)
        {
            var now = numbers.Of(new Reading(point.Index, 0, 1, 1, Quality.Good) { Numbering = 0 });
            if (point.DeviceIndex == 0)
            {
                Assert.Equal(-1, now);
            }
            else
            {
                Assert.NotEqual(point.Index, now);
                Assert.Equal((point.Id, before.Devices[point.DeviceIndex].Id), (after.Points[now].Id, after.Devices[after.Points[now].DeviceIndex].Id));
            }
        }

        Assert.Equal(3, numbers.Of(new Reading(3, 0, 1, 1, Quality.Good) { Numbering = 1 }));
        Assert.Equal(-1, numbers.Of(new Reading(3, 0, 1, 1, Quality.Good) { Numbering = 7 }));

        // While nothing can be stored the newest values are noted under the numbers in force as well.
        var newest = new NewestReadings(after.Points.Count, numbers);
        var last = before.Points[^1].Index;
        newest.Set(new Reading(last, 5, 2, 2, Quality.Good) { Numbering = 0 });
        newest.Set(new Reading(0, 5, 2, 2, Quality.Good) { Numbering = 0 });
        List<Reading> taken = [];
        newest.Take(taken);
        Assert.Equal(last - 1, Assert.Single(taken).Point);
    }
}
