using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>The RTU client against a scripted line, with the cases that a field bus knows.</summary>
public sealed class RtuClientTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    private readonly ScriptedClock _clock = new();
    private readonly ScriptedLine _line;
    private readonly ModbusRtuClient _client;
    private readonly ushort[] _values = new ushort[125];

    public RtuClientTests()
    {
        _line = new(_clock);
        _client = new((_, _) => ValueTask.FromResult<IByteLine>(_line), new RtuTiming(new SerialSettings { Baud = 9600 }), _clock);
    }

    public void Dispose() => _client.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static byte[] Frame(params byte[] content)
    {
        var frame = new byte[content.Length + 2];
        content.CopyTo(frame, 0);
        RtuFrame.Finish(frame, content[0], content.Length - 1);
        return frame;
    }

    private static byte[] Registers(byte unit, params ushort[] values) => RegistersOf(unit, 3, values);

    private static byte[] RegistersOf(byte unit, byte function, params ushort[] values) =>
        Frame([unit, function, (byte)(2 * values.Length), .. values.SelectMany(v => new[] { (byte)(v >> 8), (byte)(v & 0xFF) })]);

    /// <summary>An answer to function 17 whose byte count and id are the CRC of its request, as they are for some units.</summary>
    private static byte[] ServerIdLikeItsRequest(out byte unit)
    {
        for (unit = 1; ; unit++)
        {
            var request = Frame(unit, 17);
            if (request[2] is > 8 and <= 251)
            {
                return Frame([.. request, .. Enumerable.Repeat((byte)'x', request[2] - 1)]);
            }
        }
    }

    private async Task<ModbusOutcome> Read(byte unit = 1, int quantity = 2, ushort address = 0, RegisterTable table = RegisterTable.HoldingRegister) =>
        await _client.ReadAsync(unit, table, address, quantity, _values, Timeout);

    private void Answer(params byte[][] replies)
    {
        var queue = new Queue<byte[]>(replies);
        _line.OnWrite = _ => _line.Arrive(Ms(10), queue.Count > 0 ? queue.Dequeue() : []);
    }

    [Fact]
    public async Task Reads_registers()
    {
        Answer(Registers(1, 0x1234, 0xABCD));

        Assert.True((await Read()).IsOk);

        Assert.Equal([0x1234, 0xABCD], _values[..2]);
        Assert.Equal(Frame(1, 3, 0, 0, 0, 2), Assert.Single(_line.Written));
        Assert.Equal(new ModbusCounters { }, _client.Counters with { Requests = 0, Replies = 0, Connects = 0 });
    }

    [Fact]
    public async Task Accepts_an_answer_that_comes_byte_by_byte()
    {
        _line.OnWrite = _ =>
        {
            var reply = Registers(1, 1, 2);
            for (var i = 0; i < reply.Length; i++)
            {
                _line.Arrive(Ms(10 + i), reply[i]);
            }
        };

        Assert.True((await Read()).IsOk);
        Assert.Equal([1, 2], _values[..2]);
    }

    [Fact]
    public async Task Keeps_three_and_a_half_characters_of_silence_between_requests()
    {
        List<TimeSpan> sent = [];
        _line.OnWrite = _ =>
        {
            sent.Add(_clock.Now);
            _line.Arrive(Ms(10), Registers(1, 1, 2));
        };

        await Read();
        await Read();

        // 3.5 characters of 10 bits at 9600 baud.
        Assert.Equal(10 + (3500.0 * 10 / 9600), (sent[1] - sent[0]).TotalMilliseconds, 0.001);
    }

    [Theory]
    [InlineData(9600, 3.5 * 11 / 9600 * 1000)]
    [InlineData(19200, 3.5 * 11 / 19200 * 1000)]
    [InlineData(38400, 1.75)]
    [InlineData(115200, 1.75)]
    [Trait("clause", "MODBUS over Serial Line V1.02 2.5.1.1")]
    public void Silence_is_three_and_a_half_characters_and_fixed_above_19200_baud(int baud, double milliseconds) =>
        Assert.Equal(milliseconds, new RtuTiming(new SerialSettings { Baud = baud, Parity = SerialParity.Even }).Silence.TotalMilliseconds, 0.001);

    [Fact]
    public async Task A_silent_device_is_a_timeout()
    {
        var outcome = await Read();

        Assert.Equal(ModbusStatus.Timeout, outcome.Status);
        Assert.Contains("unit id", outcome.Describe(), StringComparison.Ordinal);
        Assert.Equal(1, _client.Counters.Timeouts);
    }

    [Fact]
    public async Task A_wrong_CRC_is_a_corrupt_frame_and_is_told_before_the_timeout()
    {
        var reply = Registers(1, 1, 2);
        reply[^1] ^= 1;
        Answer(reply);
        var started = _clock.Now;

        Assert.Equal(ModbusStatus.CorruptFrame, (await Read()).Status);

        Assert.True(_clock.Now - started < Timeout);
        Assert.Equal(1, _client.Counters.CrcErrors);
        Assert.Equal(0, _values[0]);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_a_short_reply()
    {
        Answer(Registers(1, 1, 2)[..5]);

        Assert.Equal(ModbusStatus.ShortReply, (await Read()).Status);
    }

    [Fact]
    public async Task An_answer_with_fewer_registers_is_a_short_reply()
    {
        Answer(Registers(1, 7));

        Assert.Equal(ModbusStatus.ShortReply, (await Read()).Status);
    }

    [Fact]
    public async Task An_answer_with_more_registers_is_malformed()
    {
        Answer(Registers(1, 7, 8, 9));

        Assert.Equal(ModbusStatus.Malformed, (await Read()).Status);
    }

    [Fact]
    public async Task An_answer_of_another_unit_is_told()
    {
        Answer(Registers(2, 1, 2));

        var outcome = await Read();

        Assert.Equal(ModbusStatus.WrongUnit, outcome.Status);
        Assert.Contains("asked 1, answered 2", outcome.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_with_another_function_is_told()
    {
        Answer(RegistersOf(1, 4, 1, 2));

        Assert.Equal(ModbusStatus.WrongFunction, (await Read()).Status);
    }

    [Fact]
    public async Task A_refusal_is_an_exception_with_its_code()
    {
        Answer(Frame(1, 0x83, 2));

        var outcome = await Read();

        Assert.Equal(ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress), outcome);
        Assert.Equal(1, _client.Counters.Exceptions);
    }

    [Fact]
    public async Task Noise_before_and_after_the_answer_is_skipped()
    {
        Answer([0x00, 0xFF, 0x01, .. Registers(1, 5, 6), 0x55], Registers(1, 7, 8));

        Assert.True((await Read()).IsOk);
        Assert.Equal([5, 6], _values[..2]);
        Assert.True((await Read()).IsOk);
        Assert.Equal([7, 8], _values[..2]);
        Assert.Equal(2, _line.Written.Count);
    }

    [Fact]
    public async Task Bytes_that_nobody_asked_for_are_counted_and_what_a_damaged_answer_leaves_is_not()
    {
        Answer(Registers(1, 5, 6));
        Assert.True((await Read()).IsOk);
        _line.Arrive(Ms(0), [1, 3, 9, 9, 9, 9]);
        Answer(Registers(1, 7, 8));
        Assert.True((await Read()).IsOk);
        Assert.Equal(1, _client.Counters.Unasked);

        // A byte or two are of a driver that switches direction.
        _line.Arrive(Ms(0), [0, 0xFF]);
        Answer([.. Registers(1, 7, 8)[..^1], 0]);
        Assert.False((await Read()).IsOk);
        _line.Arrive(Ms(0), [1, 3, 9, 9, 9, 9]);

        // A question of another quantity comes first, after which no late answer can be taken for the new one.
        _line.OnWrite = request => _line.Arrive(Ms(10), Registers(1, [.. Enumerable.Range(5, request[5]).Select(v => (ushort)v)]));
        Assert.True((await Read()).IsOk);
        Assert.Equal(1, _client.Counters.Unasked);
        Assert.Equal([5, 6], _values[..2]);
    }

    [Fact]
    public async Task A_stray_byte_long_before_a_slow_answer_does_not_end_the_wait()
    {
        _line.OnWrite = _ =>
        {
            _line.Arrive(Ms(1), 0x00);
            _line.Arrive(Ms(150), Registers(1, 5, 6));
        };

        Assert.True((await Read()).IsOk);
    }

    [Fact]
    public async Task The_own_request_heard_back_is_skipped_and_counted()
    {
        _line.OnWrite = request =>
        {
            _line.Arrive(Ms(1), request[..3]);
            _line.Arrive(Ms(2), [.. request[3..], .. Registers(1, 5, 6)]);
        };

        Assert.True((await Read()).IsOk);

        Assert.Equal([5, 6], _values[..2]);
        Assert.Equal(1, _client.Counters.Echoes);
    }

    [Fact]
    public async Task An_answer_in_two_parts_that_begins_like_its_short_request_is_no_echo()
    {
        var answer = ServerIdLikeItsRequest(out var unit);
        _line.OnWrite = request =>
        {
            Assert.Equal(request, answer[..4]);
            _line.Arrive(Ms(5), answer[..6]);
            _line.Arrive(Ms(10), answer[6..]);
        };

        var (outcome, id) = await _client.ReportServerIdAsync(unit, Timeout);

        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal(answer[3], id!.Data.Span[0]);
        Assert.Equal(0, _client.Counters.Echoes);
    }

    [Fact]
    public async Task On_a_line_known_not_to_echo_a_short_request_heard_back_is_a_broken_off_answer()
    {
        var answer = ServerIdLikeItsRequest(out var unit);
        _line.OnWrite = _ => _line.Arrive(Ms(1), Registers(1, 5, 6));
        Assert.True((await Read()).IsOk);
        _line.OnWrite = _ => _line.Arrive(Ms(5), answer[..4]);

        Assert.Equal(ModbusStatus.ShortReply, (await _client.ReportServerIdAsync(unit, Timeout)).Outcome.Status);

        // Had the line been taken for one that echoes, this acknowledgement would pass for an echo.
        Assert.Equal(0, _client.Counters.Echoes);
        _line.OnWrite = request => _line.Arrive(Ms(1), request);
        Assert.True((await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 4, 99, Timeout)).IsOk);
    }

    [Fact]
    public async Task An_echo_of_a_short_request_in_parts_is_told_from_its_answer()
    {
        var like = ServerIdLikeItsRequest(out var unit);
        _line.OnWrite = request =>
        {
            _line.Arrive(Ms(1), [.. request, unit]);
            _line.Arrive(Ms(5), [.. Frame(unit, 17, 2, like[3], 0xFF)[1..]]);
        };

        Assert.True((await _client.ReportServerIdAsync(unit, Timeout)).Outcome.IsOk);
        Assert.Equal(1, _client.Counters.Echoes);
    }

    [Fact]
    public async Task On_a_line_known_to_echo_the_echo_of_a_write_is_not_its_acknowledgement()
    {
        _line.OnWrite = request => _line.Arrive(Ms(1), [.. request, .. Registers(1, 5, 6)]);
        await Read();
        _line.OnWrite = request => _line.Arrive(Ms(1), request);

        var outcome = await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 4, 99, Timeout);

        Assert.Equal(ModbusStatus.Timeout, outcome.Status);
    }

    [Fact]
    public async Task Writes_are_acknowledged_by_their_own_bytes()
    {
        _line.OnWrite = request => _line.Arrive(Ms(1), request[1] < 15 ? request : Frame(request[..6]));

        Assert.True((await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 4, 99, Timeout)).IsOk);
        Assert.True((await _client.WriteSingleAsync(1, RegisterTable.Coil, 4, 1, Timeout)).IsOk);
        Assert.True((await _client.WriteMultipleAsync(1, RegisterTable.HoldingRegister, 4, new ushort[] { 1, 2 }, Timeout)).IsOk);
        Assert.True((await _client.WriteMultipleAsync(1, RegisterTable.Coil, 4, new ushort[] { 1, 0, 1 }, Timeout)).IsOk);
        Assert.Equal(Frame(1, 15, 0, 4, 0, 3, 1, 0b101), _line.Written[^1]);
    }

    [Fact]
    public async Task A_lost_line_is_opened_again_by_the_next_request()
    {
        ScriptedLine unplugged = new(_clock) { IsClosed = true };
        var lines = new Queue<ScriptedLine>([unplugged, _line]);
        Answer(Registers(1, 5, 6));
        await using var client = new ModbusRtuClient((_, _) => ValueTask.FromResult<IByteLine>(lines.Dequeue()), new RtuTiming(new SerialSettings()), _clock);

        Assert.Equal(ModbusStatus.NotConnected, (await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 3, _values, Timeout)).Status);
        Assert.True(unplugged.IsDisposed);
        Assert.True((await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 2, _values, Timeout)).IsOk);
        Assert.Equal(2, client.Counters.Connects);
    }

    [Fact]
    public async Task A_port_that_cannot_be_opened_is_not_connected_with_the_reason_and_is_not_tried_again_at_once()
    {
        var tries = 0;
        await using var client = new ModbusRtuClient(
            (_, _) =>
            {
                tries++;
                throw new SerialPortException("/dev/ttyUSB7 does not exist");
            },
            new RtuTiming(new SerialSettings()),
            _clock);

        Assert.Contains("/dev/ttyUSB7", (await client.ReadAsync(1, RegisterTable.Coil, 0, 1, _values, Timeout)).Describe(), StringComparison.Ordinal);
        Assert.Equal(ModbusStatus.NotConnected, (await client.ReadAsync(1, RegisterTable.Coil, 0, 1, _values, Timeout)).Status);
        Assert.Equal(1, tries);
        _clock.Advance(Timeout);
        await client.ReadAsync(1, RegisterTable.Coil, 0, 1, _values, Timeout);
        Assert.Equal(2, tries);
    }

    [Fact]
    public async Task Two_requests_at_once_are_a_mistake_of_the_program()
    {
        ModbusOutcome? second = null;
        InvalidOperationException? refused = null;
        _line.OnWrite = _ =>
        {
            var read = _client.ReadAsync(1, RegisterTable.Coil, 0, 1, _values, Timeout).AsTask();
            refused = read.Exception?.InnerException as InvalidOperationException;
            second = read.IsCompletedSuccessfully ? read.Result : null;
            _line.Arrive(Ms(1), Registers(1, 1, 2));
        };

        Assert.True((await Read()).IsOk);
        Assert.NotNull(refused);
        Assert.Null(second);
    }

    [Fact]
    public async Task A_read_cannot_be_broadcast() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Read(unit: 0));
}
