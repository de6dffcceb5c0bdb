using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>A server that has been shouted at for a while still answers.</summary>
public sealed class ServerEnduranceTests
{
    [Fact]
    public async Task No_bytes_on_a_serial_line_make_the_server_deaf()
    {
        ConformingUnit unit = new();
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, id => id == 1 ? unit : null);
        Random random = new(20);
        for (var i = 0; i < 300; i++)
        {
            // Noise, and frames of every function with a right CRC but a random body; unit 2 is not there, so nobody answers.
            var bytes = new byte[random.Next(1, 300)];
            random.NextBytes(bytes);
            line.Arrive(bytes);
            var frame = new byte[random.Next(4, 250)];
            random.NextBytes(frame);
            frame[1] = (byte)(i % 0x2C);
            RtuFrame.Finish(frame, 2, frame.Length - 3);
            line.Arrive(frame);
        }

        // What is left of the noise may swallow the first request, as it would on a real line; after a pause it is gone.
        var answer = line.AnswerAsync();
        for (var i = 0; !answer.IsCompleted && i < 100; i++)
        {
            line.Arrive(Wire.Rtu("01 03 00 01 00 01"));
            await Task.WhenAny(answer, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        Assert.Equal(Wire.Text(Wire.Rtu("01 03 02 00 01")), await answer);
        Assert.False(server.Completion.IsCompleted);
    }

    [Fact]
    public async Task No_bytes_on_a_connection_make_the_server_deaf_for_others()
    {
        await using var server = ModbusTcpServer.Start(_ => new ConformingUnit(), options: new() { MaxClients = 200 });
        Random random = new(21);
        for (var i = 0; i < 100; i++)
        {
            using var vandal = await Wire.ConnectAsync(server);
            var pdu = new byte[random.Next(1, 254)];
            random.NextBytes(pdu);
            pdu[0] = (byte)(i % 0x2C);
            var adu = new byte[MbapHeader.Size + pdu.Length];
            new MbapHeader((ushort)i, 1, pdu.Length).Write(adu);
            pdu.CopyTo(adu, MbapHeader.Size);

            // A whole frame with a random body, then half of one, then the connection is cut without taking the answer.
            await vandal.SendAsync(adu);
            await vandal.SendAsync(adu.AsMemory(0, adu.Length / 2));
        }

        using var socket = await Wire.ConnectAsync(server);
        await socket.SendAsync(Wire.Hex("00 01 00 00 00 06 01 03 00 01 00 01"));
        Assert.Equal("00 01 00 00 00 05 01 03 02 00 01", await Wire.ReceiveAsync(socket, 11));
    }
}
