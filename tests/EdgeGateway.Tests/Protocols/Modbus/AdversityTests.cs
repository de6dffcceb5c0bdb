using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>
/// Whatever happens to answers (late, lost, doubled, damaged, in pieces, from another unit, behind noise), Ok means the values of this
/// very request. Every answer carries the number of the request that it answers, so a wrong one cannot pass.
/// </summary>
public sealed class AdversityTests
{
    private const int Runs = 1500;
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    public enum Fate
    {
        Good,
        Lost,
        Doubled,
        Damaged,
        Cut,
        Noise,
        Refused,
        OtherUnit,
        InPieces,
    }

    public enum Question
    {
        Registers,
        ReadWrite,
        ServerId,
        IdentificationObject,
        File,
        Queue,
    }

    public sealed record Step(byte Unit, RegisterTable Table, int Quantity, int PauseMilliseconds, Question Question);

    public sealed record Fault(Fate Fate, int DelayMilliseconds, int Detail);

    public sealed record Story(Step[] Steps, Fault[] Faults)
    {
        public override string ToString() => string.Join('\n', [.. Steps.Select(s => s.ToString()), .. Faults.Select(f => f.ToString())]);
    }

    private static readonly Gen<Step> Steps =
        from unit in Gen.Elements<byte>(1, 1, 2)
        from table in Gen.Frequency((4, Gen.Constant(RegisterTable.HoldingRegister)), (1, Gen.Constant(RegisterTable.InputRegister)))
        from quantity in Gen.Elements(1, 2, 2, 2, 5)
        from pause in Gen.Elements(0, 0, 0, 50, 700)
        from question in Gen.Frequency((5, Gen.Constant(Question.Registers)), (3, Gen.Elements(Enum.GetValues<Question>())))
        select new Step(unit, table, quantity, pause, question);

    private static readonly Gen<Fault> Faults =
        from fate in Gen.Frequency((6, Gen.Constant(Fate.Good)), (6, Gen.Elements(Enum.GetValues<Fate>())))
        from delay in Gen.Elements(2, 2, 5, 120, 195, 199, 205, 260, 390, 600)
        from detail in Gen.Choose(0, 1000)
        select new Fault(fate, delay, detail);

    private static readonly Arbitrary<Story> Stories =
        (from steps in Steps.ArrayOf(14)
         from faults in Faults.ArrayOf(24)
         select new Story(steps, faults)).ToArbitrary();

    [Fact]
    public void On_a_serial_line_Ok_always_means_the_answer_to_this_request()
    {
        var answered = 0;
        Prop.ForAll(Stories, story => answered += PlayLine(story, LineMode.Rtu, Serial)).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));

        // The property must not hold for lack of answers.
        Assert.True(answered > 4 * Runs, $"only {answered} answers were accepted");
    }

    [Fact]
    public void In_ASCII_mode_Ok_always_means_the_answer_to_this_request()
    {
        var answered = 0;
        Prop.ForAll(Stories, story => answered += PlayLine(story, LineMode.Ascii, Serial)).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));
        Assert.True(answered > 4 * Runs, $"only {answered} answers were accepted");
    }

    [Theory]
    [InlineData(LineMode.Rtu)]
    [InlineData(LineMode.Ascii)]
    public void Behind_a_device_server_Ok_always_means_the_answer_to_this_request(LineMode mode)
    {
        var answered = 0;
        Prop.ForAll(Stories, story => answered += PlayLine(story, mode, RtuTiming.OverNetwork(TimeSpan.FromMilliseconds(5)))).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs / 3));
        Assert.True(answered > 3 * Runs / 3, $"only {answered} answers were accepted");
    }

    [Fact]
    public void In_datagrams_Ok_always_means_the_answer_to_this_request()
    {
        var answered = 0;
        Prop.ForAll(Stories, story => answered += PlayUdp(story)).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));
        Assert.True(answered > 4 * Runs, $"only {answered} answers were accepted");
    }

    [Fact]
    public void On_TCP_Ok_always_means_the_answer_to_this_request()
    {
        var answered = 0;
        Prop.ForAll(Stories, story => answered += PlayTcp(story)).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));
        Assert.True(answered > 4 * Runs, $"only {answered} answers were accepted");
    }

    private static RtuTiming Serial => new(new SerialSettings { Baud = 9600 });

    private static int PlayLine(Story story, LineMode mode, RtuTiming timing)
    {
        ScriptedClock clock = new();
        ScriptedLine line = new(clock);
        var faults = new Queue<Fault>(story.Faults);
        var busyUntil = new TimeSpan[256];
        line.OnWrite = sent =>
        {
            var fault = faults.Count > 0 ? faults.Dequeue() : new(Fate.Good, 2, 0);
            var request = mode == LineMode.Ascii ? Convert.FromHexString(sent.Skip(1).SkipLast(2).Select(b => (char)b).ToArray()) : sent;
            var unit = request[0];
            var reply = Finish(fault.Fate == Fate.OtherUnit ? (byte)9 : unit, Body(request.AsSpan(1), line.Written.Count, fault));
            var at = clock.Now + TimeSpan.FromMilliseconds(fault.DelayMilliseconds);
            busyUntil[unit] = at > busyUntil[unit] ? at : busyUntil[unit];
            Deliver(line, busyUntil[unit] - clock.Now, mode == LineMode.Ascii ? Ascii(reply[..^2]) : reply, fault);
        };
        OpenByteLine open = (_, _) => ValueTask.FromResult<IByteLine>(line);
        ModbusClient client = mode == LineMode.Ascii ? new ModbusAsciiClient(open, timing, clock) : new ModbusRtuClient(open, timing, clock);
        return Play(story, client, clock, () => line.Written.Count);
    }

    private static byte[] Ascii(byte[] content)
    {
        var frame = new byte[AsciiFrame.MaxLength];
        return frame[..AsciiFrame.Write(frame, content)];
    }

    private static int PlayUdp(Story story)
    {
        ScriptedClock clock = new();
        ScriptedLine line = new(clock);
        var faults = new Queue<Fault>(story.Faults);
        line.OnWrite = request =>
        {
            var fault = faults.Count > 0 ? faults.Dequeue() : new(Fate.Good, 2, 0);
            var body = Body(request.AsSpan(7), line.Written.Count, fault);
            var reply = new byte[MbapHeader.Size + body.Length];
            var transaction = BinaryPrimitives.ReadUInt16BigEndian(request);
            new MbapHeader(fault.Fate == Fate.Damaged ? (ushort)(transaction ^ 0x4000) : transaction, fault.Fate == Fate.OtherUnit ? (byte)9 : request[6], body.Length).Write(reply);
            body.CopyTo(reply, MbapHeader.Size);
            var after = TimeSpan.FromMilliseconds(fault.DelayMilliseconds);
            switch (fault.Fate)
            {
                case Fate.Lost:
                    break;
                case Fate.Doubled:
                    // The copy may come much later, behind answers to others.
                    line.Arrive(after, reply);
                    line.Arrive(after + TimeSpan.FromMilliseconds(fault.Detail % 400), reply);
                    break;
                case Fate.Cut:
                    line.Arrive(after, reply[..(fault.Detail % reply.Length)]);
                    break;
                case Fate.Noise:
                    line.Arrive(after / 2, [(byte)(fault.Detail % 256), 0xFF]);
                    line.Arrive(after, reply);
                    break;
                default:
                    line.Arrive(after, reply);
                    break;
            }
        };
        var client = new ModbusUdpClient((_, _) => ValueTask.FromResult<IByteLine>(line), clock);
        return Play(story, client, clock, () => line.Written.Count);
    }

    private static int PlayTcp(Story story)
    {
        ScriptedClock clock = new();
        var faults = new Queue<Fault>(story.Faults);
        var number = 0;
        var client = new ModbusTcpClient((_, _) =>
        {
            ScriptedLine line = new(clock);
            line.OnWrite = request =>
            {
                number++;
                var fault = faults.Count > 0 ? faults.Dequeue() : new(Fate.Good, 2, 0);
                var body = Body(request.AsSpan(7), number, fault);

                // A stream neither loses nor mixes bytes: a server that answers too little says so in the header.
                body = fault.Fate == Fate.Cut ? body[..(1 + (fault.Detail % body.Length))] : body;
                var reply = new byte[MbapHeader.Size + body.Length];
                var transaction = BinaryPrimitives.ReadUInt16BigEndian(request);
                var unit = fault.Fate == Fate.OtherUnit ? (byte)9 : request[6];
                new MbapHeader(fault.Fate == Fate.Damaged ? (ushort)(transaction ^ 0x4000) : transaction, unit, body.Length).Write(reply);
                body.CopyTo(reply, MbapHeader.Size);
                Deliver(line, TimeSpan.FromMilliseconds(fault.DelayMilliseconds), reply, fault with { Fate = fault.Fate is Fate.Damaged or Fate.Cut ? Fate.Good : fault.Fate }, pieceGap: 0);
            };
            return ValueTask.FromResult<IByteLine>(line);
        }, clock);
        return Play(story, client, clock, () => number);
    }

    private static int Play(Story story, ModbusClient client, ScriptedClock clock, Func<int> lastRequest)
    {
        var answered = 0;
        var values = new ushort[ReadFifoQueue.MaxCount];
        foreach (var step in story.Steps)
        {
            clock.Advance(TimeSpan.FromMilliseconds(step.PauseMilliseconds));
            Array.Clear(values);
            var started = clock.Now;
            var asking = AskAsync(client, step, values);
            Assert.True(asking.IsCompleted, "a scripted line never suspends");
#pragma warning disable xUnit1031 // It has completed.
            var (outcome, count) = asking.GetAwaiter().GetResult();
#pragma warning restore xUnit1031

            // An answer whose length the device chooses may still be on its way: 256 characters at 9600 baud, twice as many in ASCII mode.
            var travel = step.Question is Question.ServerId or Question.IdentificationObject or Question.Queue ? 800 : 200;
            Assert.InRange(clock.Now - started, TimeSpan.Zero, Timeout + TimeSpan.FromMilliseconds(travel));
            if (outcome.IsOk)
            {
                answered++;
                Assert.InRange(count, 1, values.Length);
                Assert.All(values[..count], value => Assert.Equal(lastRequest(), value));
            }
            else
            {
                Assert.All(values, value => Assert.Equal(0, value));
            }
        }

        return answered;
    }

    /// <summary>Asks; the values are the number of the request that was answered, as often as the answer holds it.</summary>
    private static async Task<(ModbusOutcome Outcome, int Count)> AskAsync(ModbusClient client, Step step, ushort[] values)
    {
        switch (step.Question)
        {
            case Question.ReadWrite:
                return (await client.ReadWriteAsync(step.Unit, 10, step.Quantity, values, 20, new ushort[] { 1 }, Timeout), step.Quantity);
            case Question.File:
                return (await client.ReadFileRecordAsync(step.Unit, 1, 10, step.Quantity, values, Timeout), step.Quantity);
            case Question.Queue:
                return await client.ReadFifoQueueAsync(step.Unit, 10, values, Timeout);
            case Question.ServerId:
                var (outcome, id) = await client.ReportServerIdAsync(step.Unit, Timeout);
                values[0] = id is null ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(id.Data.Span);
                return (outcome, 1);
            case Question.IdentificationObject:
                (outcome, var text) = await client.ReadIdentificationObjectAsync(step.Unit, 1, Timeout);
                values[0] = text is null ? (ushort)0 : ushort.Parse(text, CultureInfo.InvariantCulture);
                return (outcome, 1);
            default:
                return (await client.ReadAsync(step.Unit, step.Table, 10, step.Quantity, values, Timeout), step.Quantity);
        }
    }

    /// <summary>An answer to a request PDU, which holds the number of that request.</summary>
    private static byte[] Body(ReadOnlySpan<byte> request, int number, Fault fault)
    {
        var function = request[0];
        if (fault.Fate == Fate.Refused)
        {
            return [(byte)(function | 0x80), 2];
        }

        byte[] word = [(byte)(number >> 8), (byte)(number & 0xFF)];
        switch ((ModbusFunction)function)
        {
            case ModbusFunction.ReadFileRecord:
                var records = request[8];
                return [function, (byte)(2 + (2 * records)), (byte)(1 + (2 * records)), 6, .. Words(records)];
            case ModbusFunction.ReadFifoQueue:
                return [function, 0, 6, 0, 2, .. Words(2)];
            case ModbusFunction.ReportServerId:
                return [function, 2, .. word];
            case ModbusFunction.EncapsulatedInterface:
                var text = Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
                return [function, 0x0E, request[2], 0x81, 0, 0, 1, request[3], (byte)text.Length, .. text];
            default:
                return [function, (byte)(2 * request[4]), .. Words(request[4])];
        }

        byte[] Words(int count) => [.. Enumerable.Repeat(word, count).SelectMany(b => b)];
    }

    private static byte[] Finish(byte unit, byte[] pdu)
    {
        var frame = new byte[pdu.Length + 3];
        pdu.CopyTo(frame, 1);
        RtuFrame.Finish(frame, unit, pdu.Length);
        return frame;
    }

    private static void Deliver(ScriptedLine line, TimeSpan after, byte[] reply, Fault fault, int pieceGap = 1)
    {
        switch (fault.Fate)
        {
            case Fate.Lost:
                return;
            case Fate.Doubled:
                line.Arrive(after, [.. reply, .. reply]);
                return;
            case Fate.Damaged:
                reply[fault.Detail % reply.Length] ^= (byte)(1 + (fault.Detail % 255));
                line.Arrive(after, reply);
                return;
            case Fate.Cut:
                line.Arrive(after, reply[..(fault.Detail % reply.Length)]);
                return;
            case Fate.Noise:
                line.Arrive(after, [(byte)(fault.Detail % 256), 0xFF, .. reply]);
                return;
            case Fate.InPieces:
                var cut = fault.Detail % reply.Length;
                line.Arrive(after, reply[..cut]);
                line.Arrive(after + TimeSpan.FromMilliseconds(pieceGap), reply[cut..]);
                return;
            default:
                line.Arrive(after, reply);
                return;
        }
    }
}
