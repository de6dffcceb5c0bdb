namespace EdgeGateway.Protocols.Modbus;

/// <summary>One request with room for its answer; reused, so that a request costs no allocation.</summary>
internal sealed class ModbusExchange
{
    private readonly byte[] _reply = new byte[Pdu.MaxLength];
    private int _requestLength;
    private int _replyLength;

    /// <summary>Where the PDU of the request is written, before <see cref="Ask"/>.</summary>
    public byte[] Request { get; } = new byte[Pdu.MaxLength];

    /// <summary>What is asked.</summary>
    public RequestShape Shape { get; private set; }

    /// <summary>The PDU of the request.</summary>
    public ReadOnlyMemory<byte> RequestPdu => Request.AsMemory(0, _requestLength);

    /// <summary>The PDU of the answer; empty until there is one.</summary>
    public ReadOnlySpan<byte> ReplyPdu => _reply.AsSpan(0, _replyLength);

    /// <summary>States what was written into <see cref="Request"/>.</summary>
    public void Ask(RequestShape shape, int length)
    {
        Shape = shape;
        _requestLength = length;
        _replyLength = 0;
    }

    /// <summary>Keeps a copy of the answer.</summary>
    public void Answer(ReadOnlySpan<byte> pdu)
    {
        pdu.CopyTo(_reply);
        _replyLength = pdu.Length;
    }
}
