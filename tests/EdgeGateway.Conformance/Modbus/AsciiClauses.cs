using System.Text;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>What "MODBUS over Serial Line Specification and Implementation Guide V1.02" asks of a client and server in ASCII mode.</summary>
public sealed class AsciiClauses
{
    private const string Request = ":010300010001FA\r\n";
    private const string Answer = ":0103020001F9\r\n";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly ConformingUnit _unit = new();
    private readonly ushort[] _values = new ushort[1];

    [Fact, Trait("clause", "Serial V1.02 2.5.2")]
    public void A_character_has_7_data_bits_and_10_bits_in_all() =>
        Assert.Equal(10, new SerialSettings { DataBits = 7, Parity = SerialParity.Even }.BitsPerCharacter);

    [Fact, Trait("clause", "Serial V1.02 2.5.2")]
    public async Task Each_byte_travels_as_two_hexadecimal_digits_in_capitals()
    {
        var (client, line) = ClientOf(_ => Bytes(Answer));
        Assert.Equal(ModbusOutcome.Ok, await Read(client));
        Assert.Equal(Request, Text(line.Written[0]));
        Assert.Equal(1, _values[0]);

        Assert.Equal(Answer, await AskAsync(Request));
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task A_frame_stands_between_a_colon_and_CR_LF_and_what_stands_between_frames_is_passed_over()
    {
        Assert.Equal(Answer, await AskAsync("0103\r\n" + Request));
        var (client, _) = ClientOf(_ => Bytes("FF\r\n" + Answer));
        Assert.Equal(ModbusOutcome.Ok, await Read(client));
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task A_colon_in_the_middle_of_a_frame_begins_it_anew()
    {
        Assert.Equal(Answer, await AskAsync(":0106000100" + Request));
        Assert.Equal(1, _unit.Holding[1]);
        var (client, _) = ClientOf(_ => Bytes(":010302" + Answer));
        Assert.Equal(ModbusOutcome.Ok, await Read(client));
        Assert.Equal(1, _values[0]);
    }

    [Theory, Trait("clause", "Serial V1.02 2.5.2.1")]
    [InlineData(":0103G0010001FA\r\n")]
    [InlineData(":010300010001F\r\n")]
    [InlineData(":010300010001FA\n")]
    [InlineData(":010300010001FA\rX")]
    public async Task What_is_no_frame_is_not_answered(string wrong) => Assert.Equal(Answer, await AskAsync(wrong + Request));

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task The_longest_frame_has_513_characters()
    {
        Assert.Equal(513, AsciiFrame.MaxLength);
        var longest = Frame("01 15 FB 06 00 01 00 00 00 7A" + string.Concat(Enumerable.Repeat(" 00 07", 122)));
        Assert.Equal(513, longest.Length);
        Assert.Equal(longest, await AskAsync(longest));
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task A_server_waits_up_to_one_second_for_the_next_character()
    {
        PausingLine line = new();
        await using var server = ModbusRtuServer.Start(new AsciiLine(line), _ => _unit);
        line.Arrive(Request[..7]);
        line.Pause(TimeSpan.FromMilliseconds(900));
        line.Arrive(Request[7..12]);
        line.Pause(TimeSpan.FromMilliseconds(900));
        line.Arrive(Request[12..]);
        line.Begin();
        Assert.Equal(Answer, await line.AnswerAsync());
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task A_server_gives_up_a_frame_that_pauses_for_more_than_one_second()
    {
        PausingLine line = new();
        await using var server = ModbusRtuServer.Start(new AsciiLine(line), _ => _unit);
        line.Arrive(Request[..7]);
        line.Pause(TimeSpan.FromMilliseconds(1100));
        line.Arrive(Request[7..]);
        line.Arrive(":010300020001F9\r\n");
        line.Begin();
        Assert.Equal(":0103020002F8\r\n", await line.AnswerAsync());
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.1")]
    public async Task A_client_waits_up_to_one_second_for_the_next_character()
    {
        PausingLine line = new();
        line.Arrive(Answer[..7]);
        line.Pause(TimeSpan.FromMilliseconds(900));
        line.Arrive(Answer[7..]);
        Assert.Equal(ModbusOutcome.Ok, await Read(ClientOf(line)));

        PausingLine broken = new();
        broken.Arrive(Answer[..7]);
        broken.Pause(TimeSpan.FromMilliseconds(1100));
        broken.Arrive(Answer[7..]);
        Assert.Equal(ModbusStatus.ShortReply, (await Read(ClientOf(broken))).Status);
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.2")]
    public async Task A_frame_with_a_wrong_LRC_is_neither_answered_nor_taken()
    {
        Assert.Equal(Answer, await AskAsync(":010300020001FA\r\n" + Request));
        var (client, _) = ClientOf(_ => Bytes(":0103020001F8\r\n"));
        Assert.Equal(ModbusStatus.CorruptFrame, (await Read(client)).Status);
    }

    [Fact, Trait("clause", "Serial V1.02 2.5.2.2")]
    public void The_LRC_goes_behind_the_data_high_digit_first() => Assert.Equal(":1103006B00037E\r\n", Frame("11 03 00 6B 00 03"));

    [Theory]
    [Trait("clause", "Serial V1.02 2.5.2.2")]
    [Trait("clause", "Serial V1.02 6.2.1")]
    [InlineData("01 03 00 00 00 0A", 0xF2)]         // 1 + 3 + 10 = 14; 256 - 14.
    [InlineData("11 03 00 6B 00 03", 0x7E)]
    [InlineData("02 07", 0xF7)]
    [InlineData("FF 01", 0x00)]                     // Carries are dropped.
    [InlineData("FF FF FF", 0x03)]
    public void LRC_of_known_frames(string bytes, int lrc) => Assert.Equal(lrc, AsciiFrame.Lrc(Wire.Hex(bytes)));

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);

    private static string Frame(string content)
    {
        var frame = new byte[AsciiFrame.MaxLength];
        return Text(frame.AsSpan(0, AsciiFrame.Write(frame, Wire.Hex(content))));
    }

    private static (ModbusAsciiClient Client, AnsweringLine Line) ClientOf(Func<byte[], byte[]?> answer)
    {
        AnsweringLine line = new(answer);
        return (ClientOf(line), line);
    }

    private static ModbusAsciiClient ClientOf(IByteLine line) =>
        new((_, _) => ValueTask.FromResult(line), new RtuTiming(new SerialSettings { DataBits = 7, Parity = SerialParity.Even }), TimeProvider.System);

    private ValueTask<ModbusOutcome> Read(ModbusAsciiClient client) => client.ReadAsync(1, RegisterTable.HoldingRegister, 1, 1, _values, Timeout);

    /// <summary>The first thing that a server says to these characters.</summary>
    private async Task<string> AskAsync(string characters)
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(new AsciiLine(line), id => id == 1 ? _unit : null);
        line.Arrive(Bytes(characters));
        return Text(Wire.Hex(await line.AnswerAsync()));
    }

    /// <summary>A line on which characters come and pause by script. A wait that brings nothing takes no time; the pause gets shorter by it.</summary>
    private sealed class PausingLine : IByteLine
    {
        private readonly Queue<(TimeSpan Pause, byte[] Bytes)> _script = new();
        private readonly TaskCompletionSource _begun = new();
        private readonly TaskCompletionSource<string> _answer = new();
        private TimeSpan _pause;

        public void Arrive(string characters) => _script.Enqueue((TimeSpan.Zero, Bytes(characters)));

        public void Pause(TimeSpan time) => _script.Enqueue((time, []));

        /// <summary>Lets a server read; a client reads after it has written.</summary>
        public void Begin() => _begun.SetResult();

        public Task<string> AnswerAsync() => _answer.Task.WaitAsync(Wire.Patient);

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
        {
            if (wait == TimeSpan.Zero)
            {
                return 0;
            }

            await _begun.Task.WaitAsync(cancel);
            if (_pause == TimeSpan.Zero && !_script.TryPeek(out _))
            {
                await Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
            }

            while (true)
            {
                if (_pause > TimeSpan.Zero)
                {
                    var passed = wait < _pause ? wait : _pause;
                    (_pause, wait) = (_pause - passed, wait - passed);
                    if (wait == TimeSpan.Zero)
                    {
                        return 0;
                    }
                }

                if (!_script.TryDequeue(out var next))
                {
                    return 0;
                }

                if (next.Bytes.Length > 0)
                {
                    next.Bytes.CopyTo(buffer);
                    return next.Bytes.Length;
                }

                _pause = next.Pause;
            }
        }

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
        {
            _begun.TrySetResult();
            _answer.TrySetResult(Text(bytes.Span));
            return ValueTask.FromResult(true);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
