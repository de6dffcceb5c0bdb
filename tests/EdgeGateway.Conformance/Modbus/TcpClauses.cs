using System.Buffers.Binary;
using System.Net.Sockets;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>What "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" asks of a client and a server.</summary>
public sealed class TcpClauses
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    [Fact, Trait("clause", "TCP V1.0b 3.1.2")]
    public async Task A_request_is_the_MBAP_header_and_the_PDU_without_a_CRC()
    {
        var (client, line) = ClientOf(_ => null);
        await client.ReadAsync(0x11, RegisterTable.HoldingRegister, 0x6B, 3, new ushort[3], TimeSpan.FromMilliseconds(1));
        Assert.Equal("00 00 00 06 11 03 00 6B 00 03", Wire.Text(line.Written[0].AsSpan(2)));
    }

    [Fact, Trait("clause", "TCP V1.0b 3.1.3")]
    public async Task Header_fields_travel_high_byte_first_and_the_server_copies_transaction_and_unit()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex("12 34 00 00 00 06 2A 03 00 01 00 01"));
        Assert.Equal("12 34 00 00 00 05 2A 03 02 00 01", await Wire.ReceiveAsync(socket, 11));
    }

    [Theory, Trait("clause", "TCP V1.0b 3.1.3")]
    [InlineData("00 01 00 01 00 06 01 03 00 00 00 01")]
    [InlineData("00 01 00 00 00 00 01 03 00 00 00 01")]
    [InlineData("00 01 00 00 00 01 01 03 00 00 00 01")]
    [InlineData("00 01 00 00 00 FF 01 03 00 00 00 01")]
    [InlineData("00 01 00 00 FF FF 01 03 00 00 00 01")]
    public async Task A_server_closes_the_connection_on_another_protocol_or_a_length_that_cannot_be(string adu)
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex(adu));
        Assert.Equal("", await ReceiveOrResetAsync(socket));
    }

    [Theory, Trait("clause", "TCP V1.0b 3.1.3")]
    [InlineData("00 01 00 05 01 03 02 00 01")]
    [InlineData("00 00 00 00 01 03 02 00 01")]
    [InlineData("00 00 01 00 01 03 02 00 01")]
    public async Task A_client_closes_the_connection_on_another_protocol_or_a_length_that_cannot_be(string afterTransaction)
    {
        var (client, line) = ClientOf(request => [request[0], request[1], .. Wire.Hex(afterTransaction)]);
        Assert.Equal(ModbusStatus.CorruptFrame, (await Read(client)).Status);
        Assert.True(line.IsDisposed);
    }

    [Theory, Trait("clause", "TCP V1.0b 3.1.3")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_server_finds_frames_by_their_length_however_the_stream_is_cut(int piece)
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        using var socket = await Wire.ConnectAsync(server);
        var both = Wire.Hex("00 01 00 00 00 06 01 03 00 01 00 01 00 02 00 00 00 06 01 03 00 02 00 01");
        for (var at = 0; at < both.Length; at += piece)
        {
            await socket.SendAsync(both.AsMemory(at, Math.Min(piece, both.Length - at)));
        }

        Assert.Equal("00 01 00 00 00 05 01 03 02 00 01 00 02 00 00 00 05 01 03 02 00 02", await Wire.ReceiveAsync(socket, 22));
    }

    [Fact, Trait("clause", "TCP V1.0b 4.2.1")]
    public async Task A_server_serves_several_clients_at_once_and_tells_their_transactions_apart()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        using var one = await Wire.ConnectAsync(server);
        using var other = await Wire.ConnectAsync(server);
        await one.SendAsync(Wire.Hex("00 07 00 00 00 06 01 03 00 01 00 01"));
        await other.SendAsync(Wire.Hex("00 07 00 00 00 06 01 03 00 05 00 01"));
        Assert.Equal("00 07 00 00 00 05 01 03 02 00 05", await Wire.ReceiveAsync(other, 11));
        Assert.Equal("00 07 00 00 00 05 01 03 02 00 01", await Wire.ReceiveAsync(one, 11));
    }

    [Fact, Trait("clause", "TCP V1.0b 4.2.1")]
    public async Task A_connection_stays_open_between_transactions()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        await using ModbusTcpClient client = new("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        Assert.True((await Read(client)).IsOk);
        Assert.True((await Read(client)).IsOk);
        Assert.Equal(1, client.Counters.Connects);
    }

    [Fact, Trait("clause", "TCP V1.0b 4.2.2")]
    public async Task A_client_connects_again_when_the_server_has_closed_the_connection()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        await using ModbusTcpClient client = new("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        Assert.True((await Read(client)).IsOk);
        var endPoint = server.EndPoint;
        await server.DisposeAsync();
        await using var again = ModbusTcpServer.Start(_ => new ConformingUnit(), endPoint);
        Assert.True((await Read(client)).IsOk);
        Assert.Equal(2, client.Counters.Connects);
    }

    [Fact, Trait("clause", "TCP V1.0b 4.2.1")]
    public void The_port_is_502() => Assert.Equal(502, ModbusTcpClient.DefaultPort);

    [Fact, Trait("clause", "TCP V1.0b 4.4.1.2")]
    public async Task Each_transaction_has_an_identifier_of_its_own()
    {
        HashSet<int> seen = [];
        var (client, line) = ClientOf(Answer);
        for (var i = 0; i < 300; i++)
        {
            Assert.True((await Read(client)).IsOk);
            Assert.True(seen.Add(BinaryPrimitives.ReadUInt16BigEndian(line.Written[i])));
        }
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.1.3")]
    public async Task An_answer_with_another_transaction_identifier_is_thrown_away()
    {
        var (client, _) = ClientOf(request =>
        {
            var stranger = Answer(request);
            stranger[0] ^= 0x40;
            stranger[^1] = 99;
            return [.. stranger, .. Answer(request)];
        });
        var values = new ushort[1];
        Assert.True((await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, values, Timeout)).IsOk);
        Assert.Equal(7, values[0]);
        Assert.Equal(1, client.Counters.LateDiscarded);
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.1.3")]
    public async Task An_answer_of_another_unit_is_not_taken()
    {
        var (client, _) = ClientOf(request =>
        {
            var answer = Answer(request);
            answer[6]++;
            return answer;
        });
        Assert.Equal(ModbusStatus.WrongUnit, (await Read(client)).Status);
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.1.4")]
    public async Task Without_an_answer_the_transaction_ends_after_its_time()
    {
        var (client, _) = ClientOf(_ => null);
        Assert.Equal(ModbusStatus.Timeout, (await Read(client)).Status);
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.2")]
    public async Task A_function_that_the_server_does_not_know_is_refused_and_the_connection_stays_open()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit());
        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex("00 01 00 00 00 03 01 41 00"));
        Assert.Equal("00 01 00 00 00 03 01 C1 01", await Wire.ReceiveAsync(socket, 9));
        await socket.SendAsync(Wire.Hex("00 02 00 00 00 06 01 03 00 01 00 01"));
        Assert.Equal("00 02 00 00 00 05 01 03 02 00 01", await Wire.ReceiveAsync(socket, 11));
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.2")]
    public async Task Several_requests_of_one_client_may_be_under_way_and_each_answer_carries_its_own_identifier()
    {
        ModbusServerOptions options = new() { Concurrency = ServerConcurrency.NewestFirst };
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit(), options: options);
        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex("00 01 00 00 00 06 01 03 00 01 00 01 00 02 00 00 00 06 01 03 00 02 00 01"));
        Assert.Equal("00 02 00 00 00 05 01 03 02 00 02 00 01 00 00 00 05 01 03 02 00 01", await Wire.ReceiveAsync(socket, 22));
    }

    [Fact, Trait("clause", "TCP V1.0b 4.4.2")]
    public async Task A_unit_behind_the_server_that_is_not_there_is_exception_0B()
    {
        await using var server = ModbusTcpServer.Start(id => id == 1 ? new ConformingUnit() : null);
        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex("00 01 00 00 00 06 05 03 00 01 00 01"));
        Assert.Equal("00 01 00 00 00 03 05 83 0B", await Wire.ReceiveAsync(socket, 9));
    }

    private static byte[] Answer(byte[] request) => [request[0], request[1], 0, 0, 0, 5, request[6], 3, 2, 0, 7];

    private static ValueTask<ModbusOutcome> Read(ModbusTcpClient client) =>
        client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, new ushort[1], Timeout);

    private static (ModbusTcpClient Client, AnsweringLine Line) ClientOf(Func<byte[], byte[]?> answer)
    {
        AnsweringLine line = new(answer);
        return (new((_, _) => ValueTask.FromResult<IByteLine>(line), TimeProvider.System), line);
    }

    private static async Task<string> ReceiveOrResetAsync(Socket socket)
    {
        try
        {
            return await Wire.ReceiveAsync(socket, 1);
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with bytes of ours unread: as good as an end.
            return "";
        }
    }
}
