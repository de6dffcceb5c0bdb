using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>The client on a line that keeps the silence itself.</summary>
public sealed class PacedLineClientTests : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    private readonly ScriptedClock _clock = new();
    private readonly Port _port;
    private readonly ModbusRtuClient _client;
    private readonly ushort[] _values = new ushort[4];

    public PacedLineClientTests()
    {
        _port = new(_clock);
        _client = new((_, _) => ValueTask.FromResult<IByteLine>(_port), new RtuTiming(new SerialSettings { Baud = 9600 }), _clock);
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    [Fact]
    public async Task A_request_waits_for_the_silence_of_the_line()
    {
        _port.Line.OnWrite = _ => _port.Line.Arrive(TimeSpan.FromMilliseconds(10), Registers(2, 7));

        Assert.Equal(ModbusOutcome.Ok, await ReadAsync());

        Assert.Equal(TimeSpan.FromMicroseconds(3645.8), Assert.Single(_port.Silences));
        Assert.Equal(7, _values[0]);
    }

    [Fact]
    public async Task A_late_answer_in_the_silence_before_a_request_is_seen_before_it_is_sent()
    {
        var answers = new Queue<byte[]>([Registers(1, 9), Registers(2, 7)]);
        _port.Line.OnWrite = _ => _port.Line.Arrive(TimeSpan.FromMilliseconds(10), answers.Dequeue());
        _port.InTheSilence.Enqueue(Registers(2, 0x0BAD));

        Assert.Equal(ModbusOutcome.Ok, await ReadAsync());

        // Without a fence a second copy of it could have been taken for the answer.
        Assert.Equal(7, _values[0]);
        Assert.Equal((1, 1), (_client.Counters.LateDiscarded, _client.Counters.Fences));
        Assert.Equal(2, _port.Line.Written.Count);
    }

    [Fact]
    public async Task On_a_line_that_never_falls_silent_the_request_is_sent_in_the_end()
    {
        for (var i = 0; i < 100; i++)
        {
            _port.InTheSilence.Enqueue([0x55]);
        }

        var started = _clock.Now;
        Assert.False((await ReadAsync()).IsOk);

        Assert.Single(_port.Line.Written);
        Assert.InRange(_clock.Now - started, Timeout, 2 * Timeout);
    }

    [Fact]
    public async Task What_the_line_did_not_take_at_once_follows()
    {
        _port.MostAtOnce = 3;
        _port.Line.OnWrite = part => _port.Line.Arrive(TimeSpan.FromMilliseconds(10), part.Length == 5 ? Registers(2, 7) : []);

        Assert.Equal(ModbusOutcome.Ok, await ReadAsync());

        Assert.Equal("010300000002C40B", Convert.ToHexString([.. _port.Line.Written.SelectMany(b => b)]));
    }

    [Fact]
    public async Task A_line_that_takes_nothing_at_once_is_waited_for_and_not_asked_again_and_again()
    {
        _port.MostAtOnce = 0;
        _port.Line.OnWrite = _ => _port.Line.Arrive(TimeSpan.FromMilliseconds(10), Registers(2, 7));

        Assert.Equal(ModbusOutcome.Ok, await ReadAsync());

        Assert.Single(_port.Silences);
        Assert.Single(_port.Line.Written);
    }

    [Fact]
    public async Task A_stuck_port_is_told_apart_from_one_that_was_unplugged()
    {
        _port.IsStuck = true;

        var outcome = await ReadAsync();

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Contains("did not take the request in time", outcome.Describe(), StringComparison.Ordinal);
        Assert.Single(_port.Silences);
        Assert.True(_port.Line.IsDisposed);
    }

    [Fact]
    public async Task An_answer_is_waited_for_by_its_length()
    {
        _port.Line.OnWrite = _ => _port.Line.Arrive(TimeSpan.FromMilliseconds(10), Registers(2, 7)[..5]);
        _port.AfterRead = () => _port.Line.Arrive(TimeSpan.FromMilliseconds(1), Registers(2, 7)[5..]);

        Assert.Equal(ModbusOutcome.Ok, await ReadAsync());

        // Five bytes are the shortest answer; these said that four more must come.
        Assert.Equal([5, 4], _port.Wanted);
    }

    private ValueTask<ModbusOutcome> ReadAsync() => _client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 2, _values, Timeout);

    private static byte[] Registers(int quantity, ushort value)
    {
        byte[] frame = [1, 3, (byte)(2 * quantity), .. Enumerable.Repeat(new[] { (byte)(value >> 8), (byte)(value & 0xFF) }, quantity).SelectMany(b => b), 0, 0];
        RtuFrame.Finish(frame, 1, frame.Length - 3);
        return frame;
    }

    private sealed class Port(ScriptedClock clock) : IPacedLine
    {
        public ScriptedLine Line { get; } = new(clock);

        public Queue<byte[]> InTheSilence { get; } = new();

        public List<TimeSpan> Silences { get; } = [];

        public List<int> Wanted { get; } = [];

        public int MostAtOnce { get; set; } = int.MaxValue;

        /// <summary>Takes no byte, however long one waits.</summary>
        public bool IsStuck { get; set; }

        public Action? AfterRead { get; set; }

        public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel) => Line.ReadAsync(buffer, wait, cancel);

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, int atLeast, TimeSpan wait, TimeSpan gap, CancellationToken cancel)
        {
            Wanted.Add(atLeast);
            var count = await Line.ReadAsync(buffer, wait, cancel);
            AfterRead?.Invoke();
            AfterRead = null;
            return count;
        }

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
        {
            if (!IsStuck)
            {
                return Line.WriteAsync(bytes, wait, cancel);
            }

            clock.Advance(wait);
            return ValueTask.FromResult(false);
        }

        public async ValueTask<int> WriteAfterSilenceAsync(ReadOnlyMemory<byte> bytes, TimeSpan silence, CancellationToken cancel)
        {
            clock.Advance(silence);
            if (InTheSilence.TryDequeue(out var heard))
            {
                Line.Arrive(TimeSpan.Zero, heard);
                return IPacedLine.Heard;
            }

            Silences.Add(silence);
            var taken = IsStuck ? 0 : Math.Min(bytes.Length, MostAtOnce);
            if (taken == 0)
            {
                return 0;
            }

            return await Line.WriteAsync(bytes[..taken], silence, cancel) ? taken : -1;
        }

        public ValueTask DisposeAsync() => Line.DisposeAsync();
    }
}
