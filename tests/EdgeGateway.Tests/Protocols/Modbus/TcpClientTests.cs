using System.Buffers.Binary;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>The TCP client against scripted connections.</summary>
public sealed class TcpClientTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    private readonly ScriptedClock _clock = new();
    private readonly List<ScriptedLine> _connections = [];
    private readonly ModbusTcpClient _client;
    private readonly ushort[] _values = new ushort[125];
    private Action<ScriptedLine, byte[]> _onRequest = (_, _) => { };

    public TcpClientTests() => _client = new((_, _) =>
    {
        ScriptedLine line = new(_clock);
        line.OnWrite = request => _onRequest(line, request);
        _connections.Add(line);
        return ValueTask.FromResult<IByteLine>(line);
    }, _clock);

    public void Dispose() => _client.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static byte[] Adu(ushort transaction, byte unit, params byte[] pdu)
    {
        var adu = new byte[MbapHeader.Size + pdu.Length];
        new MbapHeader(transaction, unit, pdu.Length).Write(adu);
        pdu.CopyTo(adu, MbapHeader.Size);
        return adu;
    }

    private static byte[] Good(byte[] request, ushort value)
    {
        var quantity = request[11];
        return Adu(
            BinaryPrimitives.ReadUInt16BigEndian(request),
            request[6],
            [request[7], (byte)(2 * quantity), .. Enumerable.Repeat(new[] { (byte)(value >> 8), (byte)(value & 0xFF) }, quantity).SelectMany(b => b)]);
    }

    private async Task<ModbusOutcome> Read(byte unit = 1, int quantity = 2) =>
        await _client.ReadAsync(unit, RegisterTable.HoldingRegister, 0x6B, quantity, _values, Timeout);

    [Fact]
    [Trait("clause", "MODBUS Messaging on TCP/IP V1.0b 3.1.3")]
    public async Task Request_carries_transaction_protocol_length_and_unit()
    {
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 7));

        Assert.True((await Read(unit: 0x11, quantity: 3)).IsOk);

        Assert.Equal([0, 1, 0, 0, 0, 6, 0x11, 3, 0, 0x6B, 0, 3], Assert.Single(_connections[0].Written));
    }

    [Fact]
    public async Task A_late_answer_is_discarded_by_its_transaction_id_and_the_connection_stays_open()
    {
        _onRequest = (line, request) => line.Arrive(Ms(250), Good(request, 0x0BAD));
        Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        _onRequest = (line, request) => line.Arrive(Ms(100), Good(request, 0x600D));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
        Assert.Single(_connections);
    }

    [Fact]
    public async Task A_late_answer_before_the_next_request_is_discarded()
    {
        _onRequest = (line, request) => line.Arrive(Ms(250), Good(request, 0x0BAD));
        await Read();
        _clock.Advance(Ms(500));
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 0x600D));

        Assert.True((await Read()).IsOk);

        Assert.Equal(0x600D, _values[0]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task A_doubled_answer_is_discarded()
    {
        _onRequest = (line, request) => line.Arrive(Ms(1), [.. Good(request, 1), .. Good(request, 1)]);
        await Read();
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 2));

        Assert.True((await Read()).IsOk);

        Assert.Equal(2, _values[0]);
        Assert.Equal(1, _client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task An_answer_in_pieces_is_put_together()
    {
        _onRequest = (line, request) =>
        {
            var reply = Good(request, 9);
            for (var i = 0; i < reply.Length; i++)
            {
                line.Arrive(Ms(i), reply[i]);
            }
        };

        Assert.True((await Read()).IsOk);
    }

    [Theory]
    [InlineData(2, 3, 4, ModbusStatus.WrongUnit)]
    [InlineData(1, 4, 4, ModbusStatus.WrongFunction)]
    [InlineData(1, 3, 2, ModbusStatus.ShortReply)]
    [InlineData(1, 3, 6, ModbusStatus.Malformed)]
    public async Task An_answer_must_match_in_unit_function_and_byte_count(byte unit, byte function, byte byteCount, ModbusStatus expected)
    {
        _onRequest = (line, request) => line.Arrive(
            Ms(1), Adu(BinaryPrimitives.ReadUInt16BigEndian(request), unit, [function, byteCount, .. new byte[byteCount]]));

        Assert.Equal(expected, (await Read()).Status);
    }

    [Fact]
    public async Task Bytes_that_are_no_frame_close_the_connection_and_the_next_request_connects_anew()
    {
        _onRequest = (line, _) => line.Arrive(Ms(1), "HTTP/1.1 400 Bad Request"u8.ToArray());
        Assert.Equal(ModbusStatus.CorruptFrame, (await Read()).Status);
        Assert.True(_connections[0].IsDisposed);
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 2));

        Assert.True((await Read()).IsOk);
        Assert.Equal(2, _client.Counters.Connects);
    }

    [Fact]
    public async Task Half_a_frame_is_a_short_reply_and_closes_the_connection()
    {
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 7)[..10]);

        Assert.Equal(ModbusStatus.ShortReply, (await Read()).Status);
        Assert.True(_connections[0].IsDisposed);
    }

    [Fact]
    public async Task Three_silent_timeouts_close_the_connection()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.False(_connections.Count > 0 && _connections[0].IsDisposed);
            Assert.Equal(ModbusStatus.Timeout, (await Read()).Status);
        }

        Assert.True(_connections[0].IsDisposed);
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 2));
        Assert.True((await Read()).IsOk);
        Assert.Equal(2, _connections.Count);
    }

    [Fact]
    public async Task A_connection_that_the_device_closed_while_idle_is_replaced_within_the_request()
    {
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 2));
        await Read();
        _connections[0].IsClosed = true;

        Assert.True((await Read()).IsOk);
        Assert.Equal(2, _connections.Count);
    }

    [Fact]
    public async Task A_write_is_not_repeated_when_the_connection_closes_after_it_was_sent()
    {
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 2));
        await Read();
        _onRequest = (line, _) => line.IsClosed = true;

        var outcome = await _client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 1, 1, Timeout);

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Single(_connections);
    }

    [Fact]
    public async Task A_cancelled_request_throws_and_the_client_stays_usable()
    {
        using var cancel = new CancellationTokenSource();
        _onRequest = (line, request) =>
        {
            cancel.Cancel();
            line.Arrive(Ms(1), Good(request, 0x0BAD));
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await _client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 2, _values, Timeout, cancel.Token));
        _onRequest = (line, request) => line.Arrive(Ms(1), Good(request, 0x600D));

        Assert.True((await Read()).IsOk);
        Assert.Equal(0x600D, _values[0]);
    }

    [Theory]
    [InlineData(RegisterTable.HoldingRegister, 0, 126)]
    [InlineData(RegisterTable.HoldingRegister, 0, 0)]
    [InlineData(RegisterTable.Coil, 0, 2001)]
    [InlineData(RegisterTable.InputRegister, 65535, 2)]
    [InlineData((RegisterTable)9, 0, 1)]
    public async Task A_request_that_cannot_be_is_a_mistake_of_the_program(RegisterTable table, ushort address, int quantity) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(
            async () => await _client.ReadAsync(1, table, address, quantity, new ushort[3000], Timeout));

    [Fact]
    public async Task Every_outcome_says_what_to_do()
    {
        foreach (var status in Enum.GetValues<ModbusStatus>().Where(s => s != ModbusStatus.Ok))
        {
            var sentence = new ModbusOutcome(status, ModbusExceptionCode.IllegalDataAddress).Describe();
            Assert.Contains(':', sentence);
        }

        Assert.Contains("77", ModbusOutcome.Refused((ModbusExceptionCode)0x77).ToString(), StringComparison.Ordinal);
        await Task.CompletedTask;
    }
}
