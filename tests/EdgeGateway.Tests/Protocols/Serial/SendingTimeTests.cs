using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Protocols.Modbus;

namespace EdgeGateway.Tests.Protocols.Serial;

/// <summary>Until when the own bytes keep the line busy; the silence of MODBUS over Serial Line V1.02, 2.5.1.1, counts from there.</summary>
public sealed class SendingTimeTests
{
    // 10 bits for each character: 1 ms at 10 000 baud.
    private static readonly SerialSettings Settings = new() { Baud = 10_000 };
    private static readonly Rs485Settings Switched = new() { DelayBefore = TimeSpan.FromMilliseconds(3), DelayAfter = TimeSpan.FromMilliseconds(2) };

    [Fact]
    public void A_frame_that_is_taken_in_parts_takes_as_long_as_one_taken_at_once()
    {
        var sent = new SendingTime(Settings, 1000, now: 100);
        Assert.Equal(100, sent.Until);
        sent.Add(100, 8);
        sent.Add(102, 20);
        Assert.Equal(128, sent.Until);

        // The line was idle since; the next frame starts now.
        sent.Add(200, 5);
        Assert.Equal(205, sent.Until);
    }

    [Fact]
    public void The_delays_of_an_RS_485_line_count_once_for_each_run_of_bytes()
    {
        var sent = new SendingTime(Settings with { Rs485 = Switched }, 1000, now: 100);
        Assert.Equal(100, sent.Until);
        sent.Add(100, 8);
        Assert.Equal(100 + 3 + 8 + 2, sent.Until);

        // Still ours: the direction is not switched in between.
        sent.Add(105, 10);
        Assert.Equal(100 + 3 + 18 + 2, sent.Until);
        sent.Add(200, 1);
        Assert.Equal(200 + 3 + 1 + 2, sent.Until);
    }

    [Fact]
    public void Bytes_that_follow_while_the_direction_is_not_switched_back_yet_start_at_once()
    {
        var sent = new SendingTime(Settings with { Rs485 = Switched }, 1000, now: 0);
        sent.Add(10, 7);
        sent.Add(21, 4);
        Assert.Equal(21 + 4 + 2, sent.Until);
    }

    [Fact]
    public void A_device_is_given_the_time_that_switching_the_direction_takes()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(5), new RtuTiming(Settings with { Rs485 = Switched }).SwitchTime);
        Assert.Equal(TimeSpan.Zero, new RtuTiming(Settings).SwitchTime);
        Assert.Equal(TimeSpan.Zero, RtuTiming.OverNetwork(TimeSpan.Zero).SwitchTime);
    }

    [Fact]
    public async Task The_wait_for_an_answer_includes_the_delays_of_an_RS_485_line()
    {
        var plain = await WaitAsync(Settings);
        Assert.Equal(plain + TimeSpan.FromMilliseconds(5), await WaitAsync(Settings with { Rs485 = Switched }));
    }

    private static async Task<TimeSpan> WaitAsync(SerialSettings settings)
    {
        var clock = new ScriptedClock();
        var line = new ScriptedLine(clock);
        await using var client = new ModbusRtuClient((_, _) => ValueTask.FromResult<IByteLine>(line), new RtuTiming(settings), clock);
        var started = clock.Now;
        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, new ushort[1], TimeSpan.FromMilliseconds(100));
        Assert.Equal(ModbusStatus.Timeout, outcome.Status);
        return clock.Now - started;
    }
}
