using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>What lines are set to, as the kernel takes it: flags for most, attributes for those that differ (struct gpio_v2_line_config).</summary>
public sealed class LineConfigTests
{
    private static readonly GpioLineSettings Counter = new() { Offset = 0, Edges = GpioEdges.Rising, Bias = GpioBias.PullUp, ActiveLow = true };

    [Fact]
    public void Lines_alike_need_flags_only()
    {
        var config = GpioLineConfig.Encode([Counter, Counter with { Offset = 5 }]);

        // ACTIVE_LOW 2, INPUT 4, EDGE_RISING 0x10, BIAS_PULL_UP 0x100
        Assert.Equal((0x116UL, 0u), (config.Flags, config.AttributeCount));
    }

    [Fact]
    public void Every_setting_has_its_flag()
    {
        var input = new GpioLineSettings { Offset = 0 };
        Assert.Equal(4UL, input.Flags());
        Assert.Equal(0UL, (input with { Direction = GpioDirection.AsIs }).Flags());
        Assert.Equal(0x24UL, (input with { Edges = GpioEdges.Falling }).Flags());
        Assert.Equal(0x34UL, (input with { Edges = GpioEdges.Both }).Flags());
        Assert.Equal(0x204UL, (input with { Bias = GpioBias.PullDown }).Flags());
        Assert.Equal(0x404UL, (input with { Bias = GpioBias.Disabled }).Flags());
        Assert.Equal(0x814UL, (input with { Edges = GpioEdges.Rising, Clock = GpioClock.Realtime }).Flags());
        var output = input with { Direction = GpioDirection.Output };
        Assert.Equal(8UL, output.Flags());
        Assert.Equal(0x48UL, (output with { Drive = GpioDrive.OpenDrain }).Flags());
        Assert.Equal(0x88UL, (output with { Drive = GpioDrive.OpenSource }).Flags());
    }

    [Fact]
    public void Lines_that_differ_have_attributes_with_their_mask()
    {
        var config = GpioLineConfig.Encode(
        [
            Counter,
            Counter with { Offset = 1, Debounce = TimeSpan.FromMilliseconds(10) },
            new() { Offset = 2, Direction = GpioDirection.Output, InitialValue = true },
            Counter with { Offset = 3, Debounce = TimeSpan.FromMilliseconds(10) },
            new() { Offset = 4, Direction = GpioDirection.Output },
        ]);
        Assert.Equal((0x116UL, 3u), (config.Flags, config.AttributeCount));
        Assert.Equal((1u, 8UL, 0b10100UL), (config.Attributes[0].Attribute.Id, config.Attributes[0].Attribute.Flags, config.Attributes[0].Mask));
        Assert.Equal((3u, 10_000u, 0b01010UL), (config.Attributes[1].Attribute.Id, config.Attributes[1].Attribute.DebounceMicroseconds, config.Attributes[1].Mask));
        Assert.Equal((2u, 0b00100UL, 0b10100UL), (config.Attributes[2].Attribute.Id, config.Attributes[2].Attribute.Values, config.Attributes[2].Mask));
    }

    [Fact]
    public void More_different_settings_than_the_structure_holds_are_refused_with_the_cure()
    {
        var lines = Enumerable.Range(0, 12).Select(i => new GpioLineSettings { Offset = i, Debounce = TimeSpan.FromMilliseconds(i) }).ToList();
        var refused = Assert.Throws<GpioException>(() => GpioLineConfig.Encode(lines));
        Assert.Equal(GpioFault.Unsupported, refused.Fault);
        Assert.Contains("11 different settings, and the kernel takes 10", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_contradict_themselves_are_refused_in_words()
    {
        Refused("edges are seen on an input only", Counter with { Direction = GpioDirection.Output });
        Refused("debounce works on an input only", Counter with { Edges = GpioEdges.None, Direction = GpioDirection.Output, Debounce = TimeSpan.FromMilliseconds(1) });
        Refused("open drain and open source are for outputs", Counter with { Drive = GpioDrive.OpenDrain });
        Refused("needs a direction", Counter with { Direction = GpioDirection.AsIs, Edges = GpioEdges.None });
        Refused("only an output has an initial value", Counter with { InitialValue = true });
        Refused("whole microseconds", Counter with { Debounce = TimeSpan.FromTicks(15) });
        Refused("lasts from 0", Counter with { Debounce = TimeSpan.FromHours(2) });
        Refused("line 0 is asked for twice", Counter, Counter);
        Refused("1 to 64 lines", []);
        Refused("1 to 64 lines", [.. Enumerable.Range(0, 65).Select(i => Counter with { Offset = i })]);

        static void Refused(string words, params GpioLineSettings[] lines)
        {
            var refused = Assert.Throws<ArgumentException>(() => new GpioLineRequest { Consumer = "test", Lines = lines }.Validate());
            Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_request_is_refused_where_the_kernel_would_quietly_cut_it_off()
    {
        var request = new GpioLineRequest { Consumer = new string('x', 31), Lines = [Counter], EventBufferSize = 1024 };
        request.Validate();
        Assert.Contains("at most 31 bytes", Assert.Throws<ArgumentException>(() => (request with { Consumer = new string('x', 30) + "é" }).Validate()).Message, StringComparison.Ordinal);
        Assert.Contains("at most 1024 events", Assert.Throws<ArgumentException>(() => (request with { EventBufferSize = 1025 }).Validate()).Message, StringComparison.Ordinal);
    }
}
