using System.Threading.Tasks.Sources;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>One request with room for its answer; reused, so that a request costs no allocation.</summary>
internal sealed class ModbusExchange : IValueTaskSource<ModbusOutcome>
{
    private readonly byte[] _reply = new byte[Pdu.MaxLength];
    private ManualResetValueTaskSourceCore<ModbusOutcome> _done;
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

    /// <summary>The transaction that carries the request, or carried it last.</summary>
    public ushort TransactionId { get; set; }

    /// <summary>When the request was last sent, as a timestamp of the client's clock.</summary>
    public long SentAt { get; set; }

    /// <summary>Since when the server can be expected to work on it: when it was sent, or when what was sent before it came to an end.</summary>
    public long ClockStart { get; set; }

    /// <summary>How long the server may take from <see cref="ClockStart"/> on.</summary>
    public TimeSpan Budget { get; set; }

    /// <summary>The time that the caller gave.</summary>
    public TimeSpan Timeout { get; private set; }

    /// <summary>When the caller asked, as a timestamp of the client's clock.</summary>
    public long AskedAt { get; set; }

    /// <summary>How long it waited before it was first sent.</summary>
    public TimeSpan Queued { get; set; }

    /// <summary>How often it travelled.</summary>
    public int Sendings { get; set; }

    /// <summary>Requests under way when it was last sent, itself among them.</summary>
    public int Crowd { get; set; }

    /// <summary>Whether others were under way beside it at any time.</summary>
    public bool WasCrowded { get; set; }

    /// <summary>Whether the server answered one that was sent later.</summary>
    public bool IsOvertaken { get; set; }

    /// <summary>Whether its connection had already served another request when it was sent.</summary>
    public bool IsOnUsedLine { get; set; }

    /// <summary>Whether it was lost beside others, and nothing has shown yet that their number was not to blame.</summary>
    public bool IsMissing { get; set; }

    /// <summary>Whether the client asks for itself: nobody gets the values.</summary>
    public bool IsWitness { get; init; }

    /// <summary>Whether the caller has its outcome.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whom to tell when the caller gives up.</summary>
    public ModbusTcpClient? Owner { get; set; }

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

    /// <summary>Makes ready for a new wait.</summary>
    public void Start(TimeSpan timeout)
    {
        _done.Reset();
        Timeout = Budget = timeout;
        Queued = TimeSpan.Zero;
        Sendings = Crowd = 0;
        WasCrowded = IsOvertaken = IsOnUsedLine = IsMissing = IsDone = false;
    }

    /// <summary>The wait that <see cref="Start"/> began; to be awaited once.</summary>
    public ValueTask<ModbusOutcome> WaitAsync() => new(this, _done.Version);

    /// <summary>Ends the wait. What the waiting code does next is done at once, in this call.</summary>
    public void Complete(ModbusOutcome outcome)
    {
        // Nobody waits for a witness, and it may be on its way again already.
        if (!IsWitness)
        {
            _done.SetResult(outcome);
        }
    }

    /// <summary>Ends the wait with an exception.</summary>
    public void Fail(Exception fault)
    {
        if (!IsWitness)
        {
            _done.SetException(fault);
        }
    }

    ModbusOutcome IValueTaskSource<ModbusOutcome>.GetResult(short token) => _done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ModbusOutcome>.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource<ModbusOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);
}
