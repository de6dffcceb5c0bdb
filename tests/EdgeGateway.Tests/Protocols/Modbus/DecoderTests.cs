using EdgeGateway.Protocols.Modbus;
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
        from function in Gen.Elements<byte>(1, 2, 3, 4, 5, 6, 15, 16, 0x81, 0x83, 0x90)
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

            var response = new byte[Pdu.MaxLength];
            var length = RequestHandler.Handle(bytes, new TableUnit { Exists = 40 }, response);
            Assert.InRange(length, 2, Pdu.MaxLength);
            Assert.Equal(bytes[0] | 0x80, response[0] | 0x80);
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
