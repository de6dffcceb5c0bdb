using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>Whatever bytes come, decoders answer with a value.</summary>
public sealed class DecoderTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(3000);

    /// <summary>Bytes as they might come: random ones, and ones that begin like the real thing.</summary>
    private static readonly Arbitrary<byte[]> Bytes = Gen.OneOf(
        Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
        from function in Gen.Elements<byte>(1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, 43, 0x81, 0x83, 0x90, 0xAB)
        from rest in Gen.Choose(0, 255).Select(b => (byte)(b < 200 ? b % 12 : b)).ArrayOf()
        select (byte[])[function, .. rest]).ToArbitrary();

    [Fact]
    public void No_byte_sequence_makes_a_response_decoder_throw() =>
        Prop.ForAll(Bytes, bytes =>
        {
            foreach (var table in Enum.GetValues<RegisterTable>())
            {
                var values = new ushort[3];
                var outcome = table.IsBits() ? ReadBits.ReadResponse(bytes, table, values) : ReadRegisters.ReadResponse(bytes, table, values);
                Assert.True(outcome.IsOk || values.All(v => v == 0), "values were touched by an answer that is not Ok");
            }

            _ = WriteSingleCoil.ReadResponse(bytes, 1, true);
            _ = WriteSingleRegister.ReadResponse(bytes, 1, 1);
            _ = WriteMultipleCoils.ReadResponse(bytes, 1, 1);
            _ = WriteMultipleRegisters.ReadResponse(bytes, 1, 1);
            foreach (var shape in Shapes.OfEveryFunction)
            {
                _ = shape.Check(bytes);
                _ = shape.MayBegin(bytes);
            }

            var registers = new ushort[ReadFifoQueue.MaxCount];
            Assert.True(ReadFifoQueue.ReadResponse(bytes, registers, out var count).IsOk || registers.All(v => v == 0));
            Assert.InRange(count, 0, ReadFifoQueue.MaxCount);
            _ = ReadFileRecord.ReadResponse(bytes, registers);
            _ = ReadWriteMultipleRegisters.ReadResponse(bytes, registers);
            _ = ReportServerId.ReadResponse(bytes, out var id);
            Assert.All($"{id?.Id}{id?.Additional}{id}{id?.IsRunning}", c => Assert.False(char.IsControl(c)));
            _ = GetCommEventLog.ReadResponse(bytes, out _);
            _ = ReadDeviceIdentification.ReadResponse(bytes, IdentificationAccess.Basic, out _, out var objects);
            while (ReadDeviceIdentification.TakeObject(ref objects, out _, out var text))
            {
                Assert.All(DeviceText.Of(text), c => Assert.False(char.IsControl(c)));
            }

            _ = RequestShape.OfAnswer(1, bytes);
            _ = MbapHeader.TryRead(bytes, out _);
            _ = RtuFrame.ResponseLength(bytes);
            _ = RtuFrame.RequestLength(bytes);
            _ = RtuFrame.HasValidCrc(bytes);
        }).Check(Many);

    [Fact]
    public void No_request_makes_a_server_throw_and_every_one_gets_a_response_of_its_function() =>
        Prop.ForAll(Bytes, bytes =>
        {
            if (bytes.Length is 0 or > Pdu.MaxLength)
            {
                return;
            }

            foreach (var unit in new IModbusUnit[] { new TableUnit { Exists = 40 }, new WholeUnit() })
            {
                var response = new byte[Pdu.MaxLength];
                var counters = new UnitCounters();
                var length = RequestHandler.Handle(bytes, unit, response, counters);
                Assert.True(length >= 2 || counters.IsListenOnly, "silence without listen only mode");
                Assert.InRange(length, 0, Pdu.MaxLength);
                Assert.True(length == 0 || response[0] == bytes[0] || response[0] == (bytes[0] | 0x80));
            }
        }).Check(Many);

    [Fact]
    public void An_answer_has_the_key_of_its_request_and_no_request_with_another_key_takes_it() =>
        Prop.ForAll(Shapes.Requests, Shapes.Requests, (one, other) =>
        {
            var response = new byte[Pdu.MaxLength];
            var length = RequestHandler.Handle(one.Pdu, new WholeUnit(), response, new());
            if (length == 0 || response[0] != one.Pdu[0])
            {
                return;
            }

            var answer = response.AsSpan(0, length);
            Assert.True(one.Shape.Check(answer).IsOk, $"{one.Shape} refused {Convert.ToHexString(answer)}");
            Assert.True(one.Shape.MayBegin(answer));
            Assert.InRange(length, 1, one.Shape.LongestReply);
            Assert.True(!one.Shape.IsRead || RequestShape.OfAnswer(one.Shape.Unit, answer) is { } seen && seen.ReplyKey == one.Shape.ReplyKey);
            if (other.Shape.Function != one.Shape.Function || other.Shape.ReplyKey != one.Shape.ReplyKey)
            {
                Assert.False(other.Shape.Check(answer).IsOk, $"{other.Shape} took {Convert.ToHexString(answer)} of {one.Shape}");
            }

            var frame = new byte[RtuFrame.MaxLength];
            answer.CopyTo(frame.AsSpan(1));
            Assert.Equal(RtuFrame.Finish(frame, 1, length), RtuFrame.ResponseLength(frame.AsSpan(0, length + 3)));
        }).Check(Many);

    [Fact]
    public void Whatever_a_device_answers_every_question_of_the_client_ends_in_an_outcome() =>
        Prop.ForAll(Bytes, Gen.Choose(0, 11).ToArbitrary(), (bytes, question) =>
        {
            if (bytes.Length is 0 or > Pdu.MaxLength)
            {
                return;
            }

            ScriptedClock clock = new();
            ScriptedLine line = new(clock);
            line.OnWrite = request =>
            {
                var adu = new byte[MbapHeader.Size + bytes.Length];
                Assert.True(MbapHeader.TryRead(request, out var header));
                new MbapHeader(header.TransactionId, header.Unit, bytes.Length).Write(adu);
                bytes.CopyTo(adu, MbapHeader.Size);
                line.Arrive(TimeSpan.Zero, adu);
            };
            ModbusTcpClient client = new((_, _) => ValueTask.FromResult<IByteLine>(line), clock);
            var asking = Shapes.AskAsync(client, question);
            Assert.True(asking.IsCompletedSuccessfully, $"question {question} threw or hangs on {Convert.ToHexString(bytes)}");
            Assert.InRange(line.Written.Count, 1, 64);
        }).Check(Many);

    [Fact]
    public void What_a_server_encodes_the_client_decodes() =>
        Prop.ForAll(
            (from table in Gen.Elements(Enum.GetValues<RegisterTable>())
             from quantity in Gen.Choose(1, table.IsBits() ? 2000 : 125)
             from address in Gen.Choose(0, 0x10000 - quantity)
             select (table, quantity, address)).ToArbitrary(),
            read =>
            {
                var (table, quantity, address) = read;
                var request = new byte[5];
                var response = new byte[Pdu.MaxLength];
                var values = new ushort[quantity];
                if (table.IsBits())
                {
                    ReadBits.WriteRequest(request, table, (ushort)address, quantity);
                    var length = RequestHandler.Handle(request, new TableUnit(), response);
                    Assert.True(ReadBits.ReadResponse(response.AsSpan(0, length), table, values).IsOk);
                }
                else
                {
                    ReadRegisters.WriteRequest(request, table, (ushort)address, quantity);
                    var length = RequestHandler.Handle(request, new TableUnit(), response);
                    Assert.True(ReadRegisters.ReadResponse(response.AsSpan(0, length), table, values).IsOk);
                }

                Assert.Equal(Enumerable.Range(address, quantity).Select(a => TableUnit.Default(table, a)), values);
            }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void A_frame_with_one_flipped_bit_never_has_a_valid_CRC() =>
        Prop.ForAll(
            (from content in Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(20)
             from bit in Gen.Choose(0, (22 * 8) - 1)
             select (content, bit)).ToArbitrary(),
            flip =>
            {
                var frame = new byte[22];
                flip.content.CopyTo(frame, 0);
                RtuFrame.Finish(frame, flip.content[0], 19);
                Assert.True(RtuFrame.HasValidCrc(frame));
                frame[flip.bit / 8] ^= (byte)(1 << (flip.bit % 8));
                Assert.False(RtuFrame.HasValidCrc(frame));
            }).Check(Config.QuickThrowOnFailure);
}
