using System.Buffers;
using EdgeGateway.Core;
using EdgeGateway.Core.State;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.State;

public sealed class InputBatchCodecTests
{
    private static readonly Func<int, ulong, double> TenthsOfRaw = (_, raw) => raw / 10.0;

    [Fact]
    public void Crc_of_the_check_string_is_the_published_one() =>
        // ISO 3309, the check value of CRC-32: "123456789" gives CBF43926.
        Assert.Equal(0xCBF43926u, Crc32.Of("123456789"u8));

    [Fact]
    public void Crc_can_be_continued() =>
        Assert.Equal(Crc32.Of("123456789"u8), Crc32.Of("6789"u8, Crc32.Of("12345"u8)));

    [Fact]
    public void Decoding_gives_back_every_bit()
    {
        Prop.ForAll(Batches().ToArbitrary(), batch =>
        {
            Sample[] buffer = [];
            Assert.Equal(FrameStatus.Intact, InputBatchCodec.TryDecode(Encode(batch), TenthsOfRaw, ref buffer, out var decoded));
            Assert.Equal(batch with { Samples = default }, decoded with { Samples = default });
            Assert.Equal(batch.Samples.Length, decoded.Samples.Length);
            for (var i = 0; i < batch.Samples.Length; i++)
            {
                var (a, b) = (batch.Samples.Span[i], decoded.Samples.Span[i]);
                Assert.Equal(a with { Value = 0 }, b with { Value = 0 });
                Assert.Equal(BitConverter.DoubleToUInt64Bits(a.Value), BitConverter.DoubleToUInt64Bits(b.Value));
            }

            Assert.Equal(FrameStatus.Intact, InputBatchCodec.TryReadNumber(Encode(batch), out var number));
            Assert.Equal(batch.Number, number);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        var frame = Encode(TypicalBatch(20));
        Sample[] buffer = [];
        for (var bit = 0; bit < frame.Length * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(FrameStatus.Intact, InputBatchCodec.TryDecode(frame, TenthsOfRaw, ref buffer, out _));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Any_cut_is_noticed()
    {
        var frame = Encode(TypicalBatch(20));
        Sample[] buffer = [];
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.Equal(FrameStatus.Short, InputBatchCodec.TryDecode(frame.AsSpan(0, length), TenthsOfRaw, ref buffer, out _));
        }
    }

    [Fact]
    public void No_bytes_make_the_decoder_throw()
    {
        // The second form has a right CRC, so that the bytes reach the inner decoder.
        Prop.ForAll<byte[]>(bytes =>
        {
            Sample[] buffer = [];
            _ = InputBatchCodec.TryDecode(bytes, TenthsOfRaw, ref buffer, out _);
            byte[] sealedBytes = [.. new byte[StoredFrame.HeaderLength], .. bytes];
            StoredFrame.Seal(sealedBytes, FrameKind.Batch);
            _ = InputBatchCodec.TryDecode(sealedBytes, TenthsOfRaw, ref buffer, out _);
            _ = InputBatchCodec.TryReadNumber(sealedBytes, out _);
        }).QuickCheckThrowOnFailure();

        // And whole batches with one byte changed under a right CRC.
        Prop.ForAll(Batches().ToArbitrary(), ArbMap.Default.ArbFor<(int At, byte To)>(), (batch, change) =>
        {
            var frame = Encode(batch);
            frame[StoredFrame.HeaderLength + ((change.At & int.MaxValue) % (frame.Length - StoredFrame.HeaderLength))] = change.To;
            StoredFrame.Seal(frame, FrameKind.Batch);
            Sample[] buffer = [];
            _ = InputBatchCodec.TryDecode(frame, TenthsOfRaw, ref buffer, out _);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Values_derived_under_another_configuration_are_noticed()
    {
        Sample[] buffer = [];
        Assert.Equal(FrameStatus.ValuesDiffer, InputBatchCodec.TryDecode(Encode(TypicalBatch(5)), (_, raw) => raw / 100.0, ref buffer, out _));
    }

    [Fact]
    public void A_typical_sample_takes_at_most_fourteen_bytes()
    {
        var perSample = Encode(TypicalBatch(500)).Length / 500.0;
        Assert.InRange(perSample, 1, 14);
    }

    [Fact]
    public void Encoding_into_a_used_buffer_allocates_nothing()
    {
        var batch = TypicalBatch(500);
        var output = new ArrayBufferWriter<byte>();
        InputBatchCodec.Encode(batch, TenthsOfRaw, output);
        output.ResetWrittenCount();
        var before = GC.GetAllocatedBytesForCurrentThread();
        InputBatchCodec.Encode(batch, TenthsOfRaw, output);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static InputBatch TypicalBatch(int samples)
    {
        var all = new Sample[samples];
        for (var i = 0; i < samples; i++)
        {
            var raw = 2300ul + (ulong)((i * 7919) % 100000);
            all[i] = new Sample(i, new Instant(1_790_000_000_000 + (i / 20 * 13)), raw / 10.0, raw, Quality.Good);
        }

        return new InputBatch(77, new Instant(1_790_000_001_000), new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"), 123_456_789, null, all);
    }

    private static byte[] Encode(in InputBatch batch)
    {
        var output = new ArrayBufferWriter<byte>();
        InputBatchCodec.Encode(batch, TenthsOfRaw, output);
        return output.WrittenSpan.ToArray();
    }

    private static Gen<InputBatch> Batches()
    {
        var longs = Gen.OneOf(Gen.Choose(-5, 5).Select(i => (long)i), ArbMap.Default.ArbFor<long>().Generator, Gen.Elements(long.MinValue, long.MaxValue));
        var raws = Gen.OneOf(Gen.Choose(0, 70000).Select(i => (ulong)i), longs.Select(l => unchecked((ulong)l)), ArbMap.Default.ArbFor<uint>().Generator.Select(u => (ulong)u));
        var points = Gen.OneOf(Gen.Choose(0, 300), Gen.Elements(int.MinValue, int.MaxValue, -1));
        var qualities = Gen.OneOf(
            Gen.Constant(Quality.Good),
            Gen.Elements(Quality.Bad(QualityReason.Timeout), Quality.Bad(QualityReason.DeviceException, 2), Quality.Uncertain(QualityReason.OutOfRange)));
        var values = Gen.OneOf(
            Gen.Constant((double?)null), ArbMap.Default.ArbFor<double>().Generator.Select(d => (double?)d), longs.Select(l => (double?)BitConverter.Int64BitsToDouble(l)));
        var samples = from point in points
                      from time in longs
                      from raw in raws
                      from quality in qualities
                      from value in values
                      select new Sample(point, new Instant(time), value ?? (quality.HasValue ? raw / 10.0 : double.NaN), raw, quality);
        return from number in longs
               from now in longs
               from boot in ArbMap.Default.ArbFor<Guid>().Generator
               from monotonic in longs
               from step in Gen.OneOf(Gen.Constant((TimeSpan?)null), longs.Select(l => (TimeSpan?)new TimeSpan(l)))
               from all in samples.ArrayOf()
               from quality in Gen.Elements(TimeQuality.Unknown, TimeQuality.Synchronised, TimeQuality.Holdover, TimeQuality.Unset)
               from held in Gen.Elements(true, false)
               from release in Gen.OneOf(
                   Gen.Constant((HeldRelease?)null),
                   longs.Select(l => (HeldRelease?)new HeldRelease(l & long.MaxValue, null)),
                   longs.Select(l => (HeldRelease?)new HeldRelease(7, l)))
               select new InputBatch(number & long.MaxValue, new Instant(now), boot, monotonic, step, all) { Quality = quality, Held = held, Release = release };
    }
}
