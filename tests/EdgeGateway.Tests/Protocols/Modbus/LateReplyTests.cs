using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>RTU has no transaction id: the answer to an abandoned request must never be taken for that to a later one.</summary>
public sealed class LateReplyTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    private readonly ScriptedClock _clock = new();
    private readonly ScriptedLine _line;
    private readonly ModbusRtuClient _client;
    private readonly ushort[] _values = new ushort[125];

    // What is answered to the n-th request, and when; but no device answers before it has answered what it was asked earlier.
    private readonly TimeSpan[] _busyUntil = new TimeSpan[256];
    private readonly Queue<(double AfterMilliseconds, Func<byte[], byte[]> Reply)> _script = new();

    public LateReplyTests()
    {
        _line = new(_clock)
        {
            OnWrite = request =>
            {
                var (after, reply) = _script.Count > 0 ? _script.Dequeue() : (5, Good(0xEEEE));
                var answers = _clock.Now + TimeSpan.FromMilliseconds(after);
                _busyUntil[request[0]] = answers > _busyUntil[request[0]] ? answers : _busyUntil[request[0]];
                _line!.Arrive(_busyUntil[request[0]] - _clock.Now, reply(request));
            },
        };
        _client = new((_, _) => ValueTask.FromResult<IByteLine>(_line), new RtuTiming(new SerialSettings { Baud = 115200 }), _clock);
    }

    public void Dispose() => _client.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static byte[] Frame(params byte[] content)
    {
        var frame = new byte[content.Length + 2];
        content.CopyTo(frame, 0);
        RtuFrame.Finish(frame, content[0], content.Length - 1);
        return frame;
    }

    /// <summary>A right answer to the request, every register of which holds this value.</summary>
    private static Func<byte[], byte[]> Good(ushort value) => request =>
    {
        var quantity = request[5];
        return Frame([request[0], request[1], (byte)(2 * quantity), .. Enumerable.Repeat(new[] { (byte)(value >> 8), (byte)(value & 0xFF) }, quantity).SelectMany(b => b)]);
    };

    private static Func<byte[], byte[]> Refusal(byte code) => request => Frame(request[0], (byte)(request[1] | 0x80), code);

    private static byte[] Silence(byte[] request) => [];

    private async Task<ModbusOutcome> Read(byte unit = 1, int quantity = 4, RegisterTable table = RegisterTable.HoldingRegister) =>
        await _client.ReadAsync(unit, table, 100, quantity, _values, Timeout);

    [Fact]
    public async Task A_late_answer_before_the_next_request_is_discarded()
    {
        _script.Enqueue((300, Good(0x0BAD)));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _clock.Advance(TimeSpan.FromMilliseconds(500));
        _script.Enqueue((5, Good(0xFE)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task A_late_answer_during_the_next_request_to_the_same_unit_is_discarded()
    {
        _script.Enqueue((250, Good(0x0BAD)));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((60, Good(0xFE)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
        Assert.Equal(1, _client.Counters.Fences);

        // The fence: the same function at the same address, another quantity.
        Assert.Equal(Frame(1, 3, 0, 100, 0, 1), _line.Written[1]);
    }

    [Fact]
    public async Task A_late_answer_during_a_request_to_another_unit_is_discarded_and_does_not_delay_it()
    {
        _script.Enqueue((250, Good(0x0BAD)));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((70, Good(0x0002)));
        var started = _clock.Now;

        Assert.True((await Read(unit: 2)).IsOk);

        Assert.Equal(2, _values[0]);
        Assert.True(_clock.Now - started < TimeSpan.FromMilliseconds(80));
        Assert.Equal(1, _client.Counters.LateDiscarded);
        Assert.Equal(0, _client.Counters.Fences);
    }

    [Fact]
    public async Task A_late_answer_that_comes_twice_is_discarded_twice()
    {
        _script.Enqueue((250, request => [.. Good(0x0BAD)(request), .. Good(0x0BAD)(request)]));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((60, Good(0xFE)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(2, _client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task A_doubled_answer_is_not_taken_for_the_next_one()
    {
        _script.Enqueue((5, request => [.. Good(1)(request), .. Good(1)(request)]));
        Assert.True((await Read()).IsOk);
        _script.Enqueue((5, Good(0xFE)));
        _script.Enqueue((5, Good(2)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(2, _values[0]);
    }

    [Fact]
    public async Task A_request_of_another_shape_needs_no_fence()
    {
        _script.Enqueue((250, Good(0x0BAD)));
        Assert.Equal(ModbusStatus.Timeout, (await Read(quantity: 4)).Status);
        _script.Enqueue((60, Good(7)));

        Assert.True((await Read(quantity: 6)).IsOk);

        Assert.Equal(7, _values[0]);
        Assert.Equal(0, _client.Counters.Fences);
        _script.Enqueue((5, Good(8)));
        Assert.True((await Read(quantity: 4)).IsOk);
        Assert.Equal(8, _values[0]);
        Assert.Equal(0, _client.Counters.Fences);
    }

    [Fact]
    public async Task A_late_refusal_is_not_taken_for_one_of_the_next_request()
    {
        _script.Enqueue((250, Refusal(4)));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((150, Good(0xFE)));
        _script.Enqueue((5, Good(0x04)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(2, _client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task A_device_that_refuses_the_fence_is_asked_in_the_neighbouring_table()
    {
        _script.Enqueue((0, Silence));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((5, Refusal(2)));
        _script.Enqueue((5, Refusal(1)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(Frame(1, 4, 0, 100, 0, 1), _line.Written[2]);
    }

    [Fact]
    public async Task A_device_that_answers_no_fence_at_all_is_left_alone_until_nothing_can_come_any_more()
    {
        _script.Enqueue((0, Silence));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((5, Refusal(2)));
        _script.Enqueue((5, Silence));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        var sent = _line.Written.Count;

        var held = await Read();

        Assert.Equal(ModbusStatus.Timeout, held.Status);
        Assert.Contains("left alone", held.Describe(), StringComparison.Ordinal);
        Assert.Equal(sent, _line.Written.Count);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _script.Enqueue((5, Good(0x600D)));
        Assert.True((await Read()).IsOk);
        Assert.Equal(0x600D, _values[0]);
    }

    [Fact]
    public async Task A_request_that_a_device_really_refuses_is_told_so_again_after_a_timeout()
    {
        _script.Enqueue((0, Silence));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _script.Enqueue((5, Refusal(2)));
        _script.Enqueue((5, Refusal(2)));
        _script.Enqueue((5, Refusal(2)));

        Assert.Equal(ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress), await Read());
    }

    [Fact]
    public async Task A_dead_device_costs_one_timeout_for_each_request_and_comes_back_at_once()
    {
        for (var i = 0; i < 50; i++)
        {
            _script.Enqueue((0, Silence));
            var started = _clock.Now;
            Assert.Equal(ModbusStatus.Timeout, (await Read(quantity: 1 + (i % 3))).Status);
            Assert.InRange(_clock.Now - started, TimeSpan.Zero, Timeout + TimeSpan.FromMilliseconds(20));
        }

        for (var quantity = 1; quantity <= 3; quantity++)
        {
            Assert.Equal(ModbusOutcome.Ok, await Read(quantity: quantity));
        }
    }

    [Fact]
    public async Task A_cancelled_request_is_fenced_like_one_that_timed_out()
    {
        using var cancel = new CancellationTokenSource();
        _script.Enqueue((20, request =>
        {
            cancel.Cancel();
            return Good(0x0BAD)(request);
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await _client.ReadAsync(1, RegisterTable.HoldingRegister, 100, 4, _values, Timeout, cancel.Token));
        _script.Enqueue((30, Good(0xFE)));
        _script.Enqueue((5, Good(0x600D)));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
    }

    [Fact]
    public async Task A_write_after_a_lost_acknowledgement_of_the_same_write_is_fenced_by_a_read()
    {
        _script.Enqueue((250, request => request));
        Assert.Equal(ModbusStatus.Timeout, (await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 9, 1, Timeout)).Status);
        _script.Enqueue((60, Good(0xFE)));
        _script.Enqueue((5, Silence));

        Assert.Equal(ModbusStatus.Timeout, (await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 9, 1, Timeout)).Status);

        Assert.Equal(Frame(1, 3, 0, 9, 0, 1), _line.Written[1]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
    }
}
