using System.Text;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>What the kernel tells of lines, how they are found by name, and what is said when they are not as expected.</summary>
public sealed class LineInfoTests
{
    private static readonly GpioLineInfo Free = new(0, "", false, "", GpioDirection.Input, false, GpioBias.AsIs, GpioDrive.PushPull, GpioEdges.None, GpioClock.Monotonic, TimeSpan.Zero);
    private static readonly GpioChipEntry Meters = new("/dev/gpiochip0", "gpiochip0", "meters", [Free with { Name = "pulse-1" }, Free with { Offset = 1, Name = "relay" }, Free with { Offset = 2 }]);
    private static readonly GpioChipEntry Belts = new("/dev/gpiochip1", "gpiochip1", "belts", [Free with { Name = "relay" }, Free with { Offset = 1, Name = "tacho" }]);
    private static readonly GpioInventory Site = new([Meters, Belts]);

    [Fact]
    public void A_line_is_found_by_its_name_on_any_chip()
    {
        var found = Site.Find("tacho");
        Assert.Equal(("/dev/gpiochip1", 1), (found.Chip, found.Line.Offset));
        Assert.Equal("/dev/gpiochip0", Site.Find("relay", "meters").Chip);
        Assert.Equal("/dev/gpiochip1", Site.Find("relay", "gpiochip1").Chip);
        Assert.Equal("/dev/gpiochip1", Site.Find("relay", "/dev/gpiochip1").Chip);
    }

    [Fact]
    public void A_name_that_is_not_there_or_there_twice_is_refused_with_what_there_is()
    {
        Refused(GpioFault.NoLine, "no line is called \"pulse-9\": gpiochip0 (meters) has pulse-1, relay; gpiochip1 (belts) has relay, tacho", () => Site.Find("pulse-9"));
        Refused(GpioFault.NoLine, "no line is called \"tacho\": gpiochip0 (meters) has pulse-1, relay", () => Site.Find("tacho", "meters"));
        Refused(
            GpioFault.Ambiguous,
            "2 lines are called \"relay\": line 1 of gpiochip0 (meters), line 0 of gpiochip1 (belts). Name the chip as well, or give the line by its number",
            () => Site.Find("relay"));
        Refused(GpioFault.NoChip, "no GPIO chip is called \"pumps\": there is gpiochip0 (meters) with 3 lines, gpiochip1 (belts) with 2 lines", () => Site.FindChip("pumps"));
        Refused(GpioFault.Ambiguous, "2 GPIO chips are called \"belts\": /dev/gpiochip1, /dev/gpiochip2", () => new GpioInventory([Belts, Belts with { Path = "/dev/gpiochip2", Name = "gpiochip2" }]).FindChip("belts"));
        Refused(GpioFault.NoChip, "there is no GPIO chip at all. Is this the board with the GPIO lines", () => new GpioInventory([]).Find("pulse-1"));
        Refused(GpioFault.NoLine, "gpiochip0 (meters) gives no name to its 1 line", () => new GpioInventory([Meters with { Lines = [Free] }]).Find("pulse-1"));
        Refused(GpioFault.NoLine, "gpiochip0 could not be looked at: not for you", () => new GpioInventory([new("/dev/gpiochip0", "gpiochip0", "", [], "not for you")]).Find("pulse-1"));

        static void Refused(GpioFault fault, string words, Func<object> find)
        {
            var refused = Assert.Throws<GpioException>(find);
            Assert.StartsWith(words, refused.Message[refused.Message.IndexOf(words[..5], StringComparison.Ordinal)..], StringComparison.Ordinal);
            Assert.Equal(fault, refused.Fault);
        }
    }

    [Fact]
    public void Flags_and_debounce_of_a_line_are_read_as_settings()
    {
        GpioAbi.LineInfo kernel = default;
        Encoding.UTF8.GetBytes("pulse-1", kernel.Name);
        Encoding.UTF8.GetBytes(new string('x', 32), kernel.Consumer);
        kernel.Offset = 7;

        // USED 1, ACTIVE_LOW 2, INPUT 4, EDGE_RISING 0x10, BIAS_PULL_UP 0x100, EVENT_CLOCK_REALTIME 0x800
        kernel.Flags = 0x917;
        kernel.AttributeCount = 1;
        kernel.Attributes[0] = new() { Id = 3, DebounceMicroseconds = 12_000 };
        Assert.Equal(
            new(7, "pulse-1", true, new string('x', 32), GpioDirection.Input, true, GpioBias.PullUp, GpioDrive.PushPull, GpioEdges.Rising, GpioClock.Realtime, TimeSpan.FromMilliseconds(12)),
            GpioLineInfo.From(kernel));
        kernel.Flags = 0x449;
        Assert.Equal((GpioDirection.Output, GpioDrive.OpenDrain, GpioBias.Disabled), (GpioLineInfo.From(kernel).Direction, GpioLineInfo.From(kernel).Drive, GpioLineInfo.From(kernel).Bias));
    }

    [Fact]
    public void A_line_that_was_handed_over_must_be_as_it_was_requested()
    {
        var wanted = new GpioLineSettings { Offset = 0, Edges = GpioEdges.Rising, Debounce = TimeSpan.FromMilliseconds(5) };
        var line = Free with { IsUsed = true, Consumer = "edgegateway", Edges = GpioEdges.Rising, Debounce = TimeSpan.FromMilliseconds(5) };
        Assert.Null(line.DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("nobody uses it", (line with { IsUsed = false }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("its consumer is \"probe\", not \"edgegateway\"", (line with { Consumer = "probe" }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("it reports edges Both, not Rising", (line with { Edges = GpioEdges.Both }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("its debounce is 0 us, not 5000 us", (line with { Debounce = TimeSpan.Zero }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("it is an output, not an input", (line with { Direction = GpioDirection.Output }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("it is active low", (line with { ActiveLow = true }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("its bias is PullUp, not AsIs", (line with { Bias = GpioBias.PullUp }).DifferenceFrom(wanted, "edgegateway"));
        Assert.Equal("its time stamps are Realtime, not Monotonic", (line with { Clock = GpioClock.Realtime }).DifferenceFrom(wanted, "edgegateway"));
    }

    /// <summary>linereq_show_fdinfo of the kernel's drivers/gpio/gpiolib-cdev.c.</summary>
    [Fact]
    public void Proc_tells_which_lines_a_descriptor_holds()
    {
        var (chip, offsets) = GpioLines.ReadPlaces(["pos:\t0", "flags:\t02004002", "mnt_id:\t16", "gpio-chip:\tgpiochip1", "gpio-line:\t5", "gpio-line:\t2"]);
        Assert.Equal("gpiochip1", chip);
        Assert.Equal([5, 2], offsets);
        Assert.Null(GpioLines.ReadPlaces(["pos:\t0", "flags:\t02"]).Chip);
    }

    [Fact]
    public void Refusals_of_the_kernel_say_who_and_what_to_do()
    {
        var request = new GpioLineRequest { Consumer = "edgegateway", Lines = [new() { Offset = 0, Edges = GpioEdges.Rising, Bias = GpioBias.PullUp, Debounce = TimeSpan.FromMilliseconds(5) }] };
        var line = Free with { Name = "pulse-1" };
        Says(GpioFault.Busy, "line 0 \"pulse-1\" of gpiochip0 is in use by \"onewire@0\": a line has one owner", 16, line with { IsUsed = true, Consumer = "onewire@0" });
        Says(GpioFault.Busy, "is in use by somebody who does not say who", 16, line with { IsUsed = true });
        Says(GpioFault.Busy, "gpiochip0: a line was in use a moment ago: try again", 16, line);
        Says(GpioFault.NotAllowed, "line 0 \"pulse-1\" may not be used: the board reserves it", 1, line);
        Says(GpioFault.Unsupported, "line 0 \"pulse-1\" cannot report edges: the chip has no interrupt for it", 6, line);
        Says(GpioFault.Unsupported, "cannot do what was asked of line 0 \"pulse-1\" (input, bias PullUp, edges Rising, time stamps Monotonic, debounce 5000 us)", 22, line);
        Says(GpioFault.Gone, "the chip was removed", 19);
        Says(GpioFault.Other, "errno 12", 12, line);

        void Says(GpioFault fault, string words, int error, params GpioLineInfo[] lines)
        {
            var said = GpioErrors.Requesting("gpiochip0", request, error, lines);
            Assert.Equal(fault, said.Fault);
            Assert.Contains(words, said.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Chips_that_cannot_be_opened_say_what_is_missing()
    {
        Says(GpioFault.NoChip, "/dev/gpiochip7 does not exist: there is gpiochip0 (meters) with 3 lines", 2);
        Says(GpioFault.NotAllowed, "add the user to group gpio", 13);
        Says(GpioFault.NotAllowed, "add the udev rule", 1);
        Says(GpioFault.Gone, "has no chip behind it", 6);
        Assert.Contains("is not a GPIO chip", GpioErrors.Chip("/dev/null", 25).Message, StringComparison.Ordinal);
        Assert.Contains("Linux 5.10", GpioErrors.Chip("/dev/gpiochip0", 22).Message, StringComparison.Ordinal);
        Assert.Equal(GpioFault.Gone, GpioErrors.Lines("line 0 of gpiochip0", 19).Fault);

        static void Says(GpioFault fault, string words, int error)
        {
            var said = GpioErrors.Opening("/dev/gpiochip7", error, new GpioInventory([Meters]).WhatThereIs);
            Assert.Equal(fault, said.Fault);
            Assert.Contains(words, said.Message, StringComparison.Ordinal);
        }
    }
}
