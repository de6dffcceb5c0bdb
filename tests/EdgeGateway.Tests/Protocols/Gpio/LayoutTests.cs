using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>Sizes, offsets and numbers of linux/gpio.h, as the table in <c>tests/hardware-vm/README.md</c> has them from the kernel's headers.</summary>
public sealed unsafe class LayoutTests
{
    [Fact]
    public void Structures_have_the_kernels_sizes()
    {
        Assert.Equal(68, sizeof(GpioAbi.ChipInfo));
        Assert.Equal(256, sizeof(GpioAbi.LineInfo));
        Assert.Equal(16, sizeof(GpioAbi.LineAttribute));
        Assert.Equal(24, sizeof(GpioAbi.LineConfigAttribute));
        Assert.Equal(272, sizeof(GpioAbi.LineConfig));
        Assert.Equal(592, sizeof(GpioAbi.LineRequest));
        Assert.Equal(16, sizeof(GpioAbi.LineValues));
        Assert.Equal(48, sizeof(GpioEvent));
    }

    [Fact]
    public void Fields_of_a_chip_and_a_line_stand_where_the_kernel_puts_them()
    {
        GpioAbi.ChipInfo chip;
        Assert.Equal([0, 32, 64], [At(&chip, &chip.Name), At(&chip, &chip.Label), At(&chip, &chip.Lines)]);

        GpioAbi.LineInfo line;
        Assert.Equal(
            [0, 32, 64, 68, 72, 80, 240],
            [
                At(&line, &line.Name), At(&line, &line.Consumer), At(&line, &line.Offset), At(&line, &line.AttributeCount), At(&line, &line.Flags), At(&line, &line.Attributes),
                At(&line, line.Padding),
            ]);
    }

    [Fact]
    public void Fields_of_a_request_stand_where_the_kernel_looks_for_them()
    {
        GpioAbi.LineAttribute attribute;
        Assert.Equal([0, 8, 8, 8], [At(&attribute, &attribute.Id), At(&attribute, &attribute.Flags), At(&attribute, &attribute.Values), At(&attribute, &attribute.DebounceMicroseconds)]);

        GpioAbi.LineConfigAttribute pair;
        Assert.Equal([0, 16], [At(&pair, &pair.Attribute), At(&pair, &pair.Mask)]);

        GpioAbi.LineConfig config;
        Assert.Equal([0, 8, 12, 32], [At(&config, &config.Flags), At(&config, &config.AttributeCount), At(&config, config.Padding), At(&config, &config.Attributes)]);

        GpioAbi.LineRequest request;
        Assert.Equal(
            [0, 256, 288, 560, 564, 568, 588],
            [
                At(&request, request.Offsets), At(&request, &request.Consumer), At(&request, &request.Config), At(&request, &request.LineCount), At(&request, &request.EventBufferSize),
                At(&request, request.Padding), At(&request, &request.Descriptor),
            ]);

        GpioAbi.LineValues values;
        Assert.Equal([0, 8], [At(&values, &values.Bits), At(&values, &values.Mask)]);
    }

    /// <summary>struct gpio_v2_line_event: timestamp_ns u64 0, id u32 8, offset u32 12, seqno u32 16, line_seqno u32 20.</summary>
    [Fact]
    public void An_event_is_read_as_the_kernel_writes_it()
    {
        var bytes = new byte[48];
        MemoryMarshal.Write(bytes, 0x0102030405060708UL);
        MemoryMarshal.Write(bytes.AsSpan(8), 2u);
        MemoryMarshal.Write(bytes.AsSpan(12), 17u);
        MemoryMarshal.Write(bytes.AsSpan(16), 4_000_000_000u);
        MemoryMarshal.Write(bytes.AsSpan(20), 3_000_000_000u);
        var read = MemoryMarshal.Read<GpioEvent>(bytes);
        Assert.Equal((0x0102030405060708UL, false, 17, 4_000_000_000u, 3_000_000_000u), (read.TimestampNs, read.IsRising, read.Offset, read.Sequence, read.LineSequence));
        Assert.Equal(new GpioEvent(0x0102030405060708UL, isRising: false, 17, 4_000_000_000u, 3_000_000_000u), read);
        bytes[8] = 1;
        Assert.True(MemoryMarshal.Read<GpioEvent>(bytes).IsRising);
    }

    /// <summary>_IOC of asm-generic/ioctl.h: direction, size of the argument, type 0xB4, number.</summary>
    [Fact]
    public void Numbers_of_the_calls_hold_the_sizes_of_their_arguments()
    {
        Assert.Equal(GpioAbi.GetChipInfo, Number(2, sizeof(GpioAbi.ChipInfo), 1));
        Assert.Equal(GpioAbi.GetLineInfo, Number(3, sizeof(GpioAbi.LineInfo), 5));
        Assert.Equal(GpioAbi.GetLine, Number(3, sizeof(GpioAbi.LineRequest), 7));
        Assert.Equal(GpioAbi.SetConfig, Number(3, sizeof(GpioAbi.LineConfig), 13));
        Assert.Equal(GpioAbi.GetValues, Number(3, sizeof(GpioAbi.LineValues), 14));
        Assert.Equal(GpioAbi.SetValues, Number(3, sizeof(GpioAbi.LineValues), 15));

        static uint Number(uint direction, int size, uint number) => (direction << 30) | ((uint)size << 16) | (0xB4 << 8) | number;
    }

    private static long At(void* start, void* field) => (byte*)field - (byte*)start;
}
