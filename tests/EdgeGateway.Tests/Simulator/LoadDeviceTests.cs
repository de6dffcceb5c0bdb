using EdgeGateway.Core.Profiles;
using EdgeGateway.Simulator;

namespace EdgeGateway.Tests.Simulator;

public sealed class LoadDeviceTests
{
    [Fact]
    public void Every_value_can_be_recomputed_from_the_sequence()
    {
        var model = LoadDevice.Site(devices: 3, registers: 100, TimeSpan.FromSeconds(1), devicesPerBus: 2);
        var site = new SimulatedSite(model, 1, new SteppedTime());
        Span<ushort> words = stackalloc ushort[100];
        for (var i = 0; i < 50; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            Assert.True(site.TryRead(1, RegisterTable.HoldingRegister, 0, words));
            var sequence = ((long)words[0] << 16) | words[1];
            Assert.Equal(site.Now.UnixMilliseconds / 1000, sequence);
            foreach (var index in model.Devices[1].Points.Skip(2))
            {
                var encoding = model.Points[index].Encoding;
                Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words[encoding.Address..], out var value, out _));
                Assert.Equal(LoadDevice.Wave(sequence, encoding.Address), value);
            }
        }
    }

    [Fact]
    public void Its_energy_has_a_ledger()
    {
        var model = LoadDevice.Site(1, 6, TimeSpan.FromSeconds(1));
        var site = new SimulatedSite(model, 1, new SteppedTime());
        site.Step(site.Begin + TimeSpan.FromHours(1));
        var entry = Assert.Single(site.Ledger());
        Assert.True(entry.Grown > 0);
        Assert.Equal(decimal.Floor(entry.Reading), entry.Shown);
        Assert.Equal((ulong)entry.Shown, entry.Raw);
    }

    [Fact]
    public void Fills_exactly_the_registers_asked_for_and_shares_buses_as_asked()
    {
        var model = LoadDevice.Site(5, 100, TimeSpan.FromSeconds(1), devicesPerBus: 2, firstPort: 20_000);
        Assert.Equal(100, model.Points.Where(p => p.DeviceIndex == 0).Sum(p => p.Encoding.Length));
        Assert.Equal(3, model.Buses.Count);
        Assert.Equal([1, 2, 1, 2, 1], model.Devices.Select(d => (int)d.Unit));
    }
}
