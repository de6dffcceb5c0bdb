using EdgeGateway.Buses;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Tests.Buses;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>From the outcomes of requests to the numbers that causes are told from.</summary>
public sealed class WireSymptomsTests
{
    private static readonly ModbusOutcome Timeout = new(ModbusStatus.Timeout);

    private readonly WireSymptoms _symptoms = new();

    [Fact]
    public void A_fault_that_was_mended_is_forgotten_after_some_requests()
    {
        Count(WireSymptoms.Window, Timeout);
        Count(WireSymptoms.Window, ModbusOutcome.Ok);
        Assert.Equal((WireSymptoms.Window, WireSymptoms.Window), (Symptoms().Timeouts, Symptoms().Answered));
        Count(1, ModbusOutcome.Ok);
        Assert.Equal(0, Symptoms().Timeouts);
    }

    [Fact]
    public void Refusals_are_kept_by_code_and_the_unit_that_answered_by_its_number()
    {
        Count(3, ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress));
        Count(2, ModbusOutcome.Refused(ModbusExceptionCode.ServerDeviceBusy));
        Count(1, ModbusOutcome.FromUnit(1, 3));
        var device = Symptoms();
        Assert.Equal([(2, 3L), (6, 2L)], device.Exceptions.OrderBy(e => e.Key).Select(e => ((int)e.Key, e.Value)));
        Assert.Equal((1, 3), (device.Strange, device.AnsweredBy!.Value));
        Assert.Equal(6, device.Requests);
    }

    [Fact]
    public void Damage_is_kept_apart_for_short_and_long_reads()
    {
        Count(10, ModbusOutcome.Ok, quantity: 4);
        Count(5, new(ModbusStatus.CorruptFrame), quantity: 100);
        Assert.Equal(((10, 0), (5, 5)), (Symptoms().ShortReads, Symptoms().LongReads));
    }

    private void Count(int times, ModbusOutcome outcome, int quantity = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _symptoms.Count(1, quantity, outcome, default);
        }
    }

    private DeviceSymptoms Symptoms() =>
        _symptoms.Of(BusSite.Bus, [(new BusSite().Device().Points(BusSite.Once).Build().Devices[0], null)], default, null).Devices[0];
}
