using System.Buffers.Binary;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>
/// A TCP client, its owner and a scripted server in virtual time. The owner keeps as many reads under way as the client wants. Every
/// register holds its address, and every read asks for another address, so that a wrong answer cannot pass.
/// </summary>
internal sealed class PipelineSite
{
    public static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(1000);

    private readonly List<Asked> _underWay = [];
    private ushort _address = 100;

    public PipelineSite(int capacity = 32)
    {
        Client = new((_, _) =>
        {
            EventLine line = new(Clock) { Sending = Sending };
            line.OnWrite = (to, request) =>
            {
                to.Sending = Sending;
                Answer(to, request);
            };
            Lines.Add(line);
            return ValueTask.FromResult<IByteLine>(line);
        }, Clock, capacity);
    }

    public ScriptedClock Clock { get; } = new();

    public ModbusTcpClient Client { get; }

    public List<EventLine> Lines { get; } = [];

    /// <summary>What the server does with a request; it answers after 5 ms, whatever else it was asked.</summary>
    public Action<EventLine, byte[]> Answer { get; set; } = (line, request) => line.Arrive(Ms(5), Good(request));

    /// <summary>When a write is through; null for at once.</summary>
    public Task<bool>? Sending { get; set; }

    public List<ModbusOutcome> Outcomes { get; } = [];

    public List<TimeSpan> Took { get; } = [];

    public int UnderWay => _underWay.Count;

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    public static ushort IdOf(byte[] request) => BinaryPrimitives.ReadUInt16BigEndian(request);

    public static byte[] Adu(ushort transaction, byte unit, params byte[] pdu)
    {
        var adu = new byte[MbapHeader.Size + pdu.Length];
        new MbapHeader(transaction, unit, pdu.Length).Write(adu);
        pdu.CopyTo(adu, MbapHeader.Size);
        return adu;
    }

    public static byte[] Good(byte[] request)
    {
        var address = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(8));
        var quantity = request[11];
        var pdu = new byte[2 + (2 * quantity)];
        (pdu[0], pdu[1]) = (request[7], (byte)(2 * quantity));
        for (var i = 0; i < quantity; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(2 + (2 * i)), (ushort)(address + i));
        }

        return Adu(IdOf(request), request[6], pdu);
    }

    public static byte[] Refusal(byte[] request, ModbusExceptionCode code) => Adu(IdOf(request), request[6], (byte)(request[7] | 0x80), (byte)code);

    /// <summary>A server that works on one request after the other, each for this long.</summary>
    public Action<EventLine, byte[]> OneAfterTheOther(double milliseconds)
    {
        var free = TimeSpan.Zero;
        return (line, request) =>
        {
            free = (free > Clock.Now ? free : Clock.Now) + Ms(milliseconds);
            line.Arrive(free - Clock.Now, Good(request));
        };
    }

    /// <summary>A server with room for one header: it works on one after the other, and each answer carries id and unit of the newest request.</summary>
    public Action<EventLine, byte[]> UnderTheNewestHeader(double milliseconds)
    {
        Dictionary<EventLine, (Queue<(TimeSpan At, byte[] Reply)> Work, TimeSpan Free)> lines = [];
        return (line, request) =>
        {
            var (work, free) = lines.TryGetValue(line, out var known) ? known : (new(), TimeSpan.Zero);
            while (work.TryPeek(out var first) && first.At <= Clock.Now)
            {
                work.Dequeue();
            }

            free = (free > Clock.Now ? free : Clock.Now) + Ms(milliseconds);
            var reply = Good(request);
            work.Enqueue((free, reply));
            foreach (var (_, owed) in work)
            {
                request.AsSpan(0, 2).CopyTo(owed);
                owed[6] = request[6];
            }

            lines[line] = (work, free);
            line.Arrive(free - Clock.Now, reply);
        };
    }

    /// <summary>Begins a read; its outcome is judged when it ends.</summary>
    public Task<ModbusOutcome> Read(byte unit = 1, int quantity = 2, TimeSpan? timeout = null, CancellationToken cancel = default)
    {
        var values = new ushort[quantity];
        var address = _address += 10;
        var task = Client.ReadAsync(unit, RegisterTable.HoldingRegister, address, quantity, values, timeout ?? Timeout, cancel).AsTask();
        _underWay.Add(new(task, values, address, Clock.Now));
        return task;
    }

    public Task<ModbusOutcome> Write(byte unit = 1) => Client.WriteSingleAsync(unit, RegisterTable.HoldingRegister, 1, 1, Timeout).AsTask();

    /// <summary>The owner reads so many times, keeping as many under way as the client wants, or as many as given.</summary>
    public void ReadMany(int count, int? keep = null, Func<int, byte>? unit = null, Func<int, int>? quantity = null)
    {
        var begun = 0;
        while (begun < count || _underWay.Count > 0)
        {
            while (begun < count && _underWay.Count < (keep ?? Client.Wanted))
            {
                Read(unit?.Invoke(begun) ?? 1, quantity?.Invoke(begun) ?? (1 + (begun % 5)));
                begun++;
                Harvest();
            }

            if (_underWay.Count > 0)
            {
                Step();
            }
        }
    }

    /// <summary>Lets time pass until this is so.</summary>
    public void Until(Func<bool> isSo)
    {
        while (!isSo())
        {
            Step();
        }
    }

    /// <summary>Goes to the next event on any line.</summary>
    public void Step()
    {
        var next = TimeSpan.MaxValue;
        foreach (var line in Lines)
        {
            next = line.NextEvent < next ? line.NextEvent : next;
        }

        Assert.True(next < TimeSpan.MaxValue, "a request hangs: nothing will ever happen");
        Assert.True(next < Clock.Now + TimeSpan.FromMinutes(1), "nothing for a minute");
        Clock.MoveTo(next);
        for (var i = 0; i < Lines.Count; i++)
        {
            Lines[i].Fire();
        }

        Harvest();
    }

    private void Harvest()
    {
        for (var i = _underWay.Count - 1; i >= 0; i--)
        {
            var asked = _underWay[i];
            if (!asked.Task.IsCompleted)
            {
                continue;
            }

            _underWay.RemoveAt(i);
            if (asked.Task.IsCanceled)
            {
                continue;
            }

#pragma warning disable xUnit1031 // It has completed.
            var outcome = asked.Task.GetAwaiter().GetResult();
#pragma warning restore xUnit1031
            for (var k = 0; k < asked.Values.Length; k++)
            {
                Assert.Equal(outcome.IsOk ? asked.Address + k : 0, asked.Values[k]);
            }

            Outcomes.Add(outcome);
            Took.Add(Clock.Now - asked.Started);
        }
    }

    private sealed record Asked(Task<ModbusOutcome> Task, ushort[] Values, ushort Address, TimeSpan Started);
}
