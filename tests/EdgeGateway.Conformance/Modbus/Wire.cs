using System.Net.Sockets;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>Short ways to speak bytes with our server and our client.</summary>
internal static class Wire
{
    public static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);

    public static byte[] Hex(string bytes) => Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>The response PDU of a server, as hex with blanks; empty when it is silent.</summary>
    public static string Ask(string request, IModbusUnit unit, UnitCounters? counters = null)
    {
        var response = new byte[Pdu.MaxLength];
        var length = RequestHandler.Handle(Hex(request), unit, response, counters);
        return Text(response.AsSpan(0, length));
    }

    public static string Text(ReadOnlySpan<byte> bytes) => string.Join(' ', bytes.ToArray().Select(b => $"{b:X2}"));

    /// <summary>A frame as a serial line carries it.</summary>
    public static byte[] Rtu(string unitAndPdu)
    {
        var bytes = Hex(unitAndPdu);
        var frame = new byte[bytes.Length + 2];
        bytes.CopyTo(frame, 0);
        RtuFrame.Finish(frame, bytes[0], bytes.Length - 1);
        return frame;
    }

    /// <summary>A client on a line whose far end answers with these PDUs, whatever is asked.</summary>
    public static (ModbusTcpClient Client, List<string> Requests) ClientOf(params string[] responsePdus)
    {
        Queue<string> responses = new(responsePdus);
        List<string> requests = [];
        AnsweringLine line = new(request =>
        {
            requests.Add(Text(request.AsSpan(MbapHeader.Size)));
            var pdu = Hex(responses.Dequeue());
            var adu = new byte[MbapHeader.Size + pdu.Length];
            Assert.True(MbapHeader.TryRead(request, out var header));
            new MbapHeader(header.TransactionId, header.Unit, pdu.Length).Write(adu);
            pdu.CopyTo(adu, MbapHeader.Size);
            return adu;
        });
        return (new((_, _) => ValueTask.FromResult<IByteLine>(line), TimeProvider.System), requests);
    }

    public static async Task<Socket> ConnectAsync(ModbusTcpServer server)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.EndPoint);
        return socket;
    }

    /// <summary>Receives so many bytes, or fewer when the server closes the connection.</summary>
    public static async Task<string> ReceiveAsync(Socket socket, int count)
    {
        using CancellationTokenSource limit = new(Patient);
        var bytes = new byte[count];
        var received = 0;
        while (received < count)
        {
            var more = await socket.ReceiveAsync(bytes.AsMemory(received), SocketFlags.None, limit.Token);
            if (more == 0)
            {
                break;
            }

            received += more;
        }

        return Text(bytes.AsSpan(0, received));
    }
}
