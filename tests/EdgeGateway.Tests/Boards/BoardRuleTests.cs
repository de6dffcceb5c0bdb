using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Boards;

/// <summary>What a board says of the lines and ports that are used on it.</summary>
public class BoardRuleTests
{
    private const string FreeOnPi4 = "Choose a free line: ";

    [Fact]
    public void Every_board_of_the_program_is_there()
    {
        Assert.Equal(["raspberry-pi-4", "raspberry-pi-5", "raspberry-pi-cm4", "raspberry-pi-zero-2-w", "revpi-connect-4"], BoardLoader.BuiltIn.Keys.Order());
        Assert.All(BoardLoader.BuiltIn, b => Assert.Equal(b.Key, b.Value.Id));
    }

    [Theory]
    [InlineData("raspberry-pi-4", "pinctrl-bcm2711", 58)]
    [InlineData("raspberry-pi-cm4", "pinctrl-bcm2711", 58)]
    [InlineData("raspberry-pi-5", "pinctrl-rp1", 54)]
    [InlineData("raspberry-pi-zero-2-w", "pinctrl-bcm2835", 54)]
    public void The_header_has_forty_pins_of_which_each_is_one_thing(string id, string chip, int lines)
    {
        var board = BoardLoader.BuiltIn[id];

        Assert.Equal((chip, lines), (board.ChipLabel, board.ChipLines));
        Assert.Equal(Enumerable.Range(1, 40), board.Lines.Values.Select(l => l.Pin!.Value).Concat(board.PowerPins.Keys).Order());
        Assert.Equal(Enumerable.Range(0, 28), board.Lines.Keys);
        Assert.Equal((11, "down"), (board.Find("GPIO17")!.Pin, board.Find("GPIO17")!.PullAtReset));
        Assert.Equal("GPIO2", board.Find("SDA1")!.Name);
    }

    // with, lines, what is said, how to mend it
    public static TheoryData<string[], string[], string, string> Mistakes => new()
    {
        { [], ["GPIO17", "GPIO17"], "GPIO17 (pin 11) is used twice, by input 1 (line 1) and by input 2", FreeOnPi4 },
        { [], ["GPIO17", "pinctrl-bcm2711/17"], "GPIO17 (pin 11) is used twice", FreeOnPi4 },
        { [], ["ID_SDA"], "ID_SDA (pin 27) is reserved for the ID EEPROM of a HAT", FreeOnPi4 },
        { [], ["pinctrl-bcm2711/1"], "ID_SCL (pin 28) is reserved", FreeOnPi4 },
        { ["dtoverlay=uart3"], ["GPIO4"], "GPIO4 (pin 7) is taken by UART 3 (dtoverlay=uart3)", FreeOnPi4 },
        { ["dtoverlay=uart3,ctsrts"], ["GPIO7"], "GPIO7 (pin 26) is taken by UART 3", FreeOnPi4 },
        { ["dtoverlay=w1-gpio"], ["GPIO4"], "GPIO4 (pin 7) is taken by 1-Wire (gpiopin of dtoverlay=w1-gpio)", FreeOnPi4 },
        { ["dtoverlay=w1-gpio,gpiopin=5"], ["GPIO5"], "GPIO5 (pin 29) is taken by 1-Wire", FreeOnPi4 },
        { ["dtoverlay=i2c6,pins_0_1", "dtoverlay=i2c5,pins_10_11"], ["GPIO10"], "GPIO10 (pin 19) is taken by I2C bus 5", FreeOnPi4 },
        { ["dtparam=i2c_arm=on,spi=on"], ["GPIO2"], "GPIO2 (pin 3) is taken by I2C bus 1 (dtparam=i2c_arm=on)", FreeOnPi4 },
        { ["dtparam=i2c_arm=on,spi=on"], ["GPIO9"], "GPIO9 (pin 21) is taken by SPI bus 0 (dtparam=spi=on)", FreeOnPi4 },
        { ["enable_uart=1"], ["GPIO15"], "GPIO15 (pin 10) is taken by the UART of the header (enable_uart=1)", FreeOnPi4 },
        { ["GPIO6: power-loss signal of the UPS"], ["GPIO6"], "GPIO6 (pin 31) is taken by 'power-loss signal of the UPS'", FreeOnPi4 },
        { ["dtoverlay=uart5", "dtoverlay=gpio-fan"], [], "GPIO12 (pin 32) is taken by UART 5 (dtoverlay=uart5) and by the fan (gpiopin of dtoverlay=gpio-fan)", "Give one of them another line" },
        { ["dtoverlay=uart33"], [], "it is not known which lines 'dtoverlay=uart33' takes on a Raspberry Pi 4 Model B", "Did you mean 'dtoverlay=uart3'?" },
        { ["rs485-hat"], [], "'rs485-hat' is neither a line of config.txt", "such as 'GPIO6: power-loss signal of the UPS'" },
        { [], ["GPIO71"], "a Raspberry Pi 4 Model B has no line 'GPIO71'", "Lines are called as gpioinfo shows them: GPIO2, GPIO3" },
        { [], ["pin 11"], "has no line 'pin 11'", "Pin 11 is GPIO17." },
        { [], ["pin 9"], "has no line 'pin 9'", "Pin 9 is GND." },
        { [], ["BCM17"], "has no line 'BCM17'", "Did you mean 'GPIO17'?" },
        { [], ["11"], "has no line '11'", "Line 11 is GPIO11, pin 11 is GPIO17." },
        { [], ["GPIO_17"], "has no line 'GPIO_17'", "Did you mean 'GPIO17'?" },
        { [], ["SDA1"], "SDA1 is called GPIO2 in kernels of 2023 and later", "Write GPIO2" },
        { [], ["pinctrl-bcm2711/42"], "line 42 of pinctrl-bcm2711 is used inside a Raspberry Pi 4 Model B", "Write a line of the header: 0 to 27" },
        { [], ["pinctrl-bcm2711/99"], "pinctrl-bcm2711 has 58 lines, and no line 99", "Write a line of the header: 0 to 27" },
        { [], ["gpiochip0/17"], "names its chip gpiochip0, and numbers of chips change", "Write the label of the chip of a Raspberry Pi 4 Model B, pinctrl-bcm2711" },
        { [], ["GPIO3 down"], "GPIO3 (pin 5) has 1.8 kohm to 3.3 V on the board, which no bias overcomes", "Write no bias, or pull-up" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void What_is_wrong_is_said_with_its_cure(string[] with, string[] lines, string what, string cure)
    {
        var problem = Assert.Single(Check("raspberry-pi-4", with, lines));

        Assert.Contains(what, problem.What, StringComparison.Ordinal);
        Assert.Contains(cure, problem.Cure, StringComparison.Ordinal);
        Assert.True(problem.Line > 0);
    }

    [Theory]
    [InlineData("raspberry-pi-4", "dtoverlay=disable-bt", "GPIO17|GPIO27|GPIO22|GPIO23")]
    [InlineData("raspberry-pi-4", "dtparam=spi=off", "GPIO8|GPIO9")]
    [InlineData("raspberry-pi-4", "enable_uart=1|dtoverlay=disable-bt|dtparam=spi=on|dtoverlay=mcp2515-can0,oscillator=16000000,interrupt=25", "GPIO24")]
    [InlineData("raspberry-pi-4", "dtparam=i2c_arm=on|dtoverlay=i2c-rtc,ds3231", "GPIO4")]
    [InlineData("raspberry-pi-4", "", "expander-1/0|expander-1/0|GPIO3 up|GPIO17 down")]
    [InlineData("raspberry-pi-5", "dtoverlay=uart0", "pinctrl-rp1/17")]
    [InlineData("raspberry-pi-zero-2-w", "", "GPIO4|GPIO5")]
    public void What_does_not_collide_is_not_spoken_of(string board, string with, string lines) =>
        Assert.Empty(Check(board, with.Split('|', StringSplitOptions.RemoveEmptyEntries), lines.Split('|')));

    [Fact]
    public void On_a_closed_gateway_no_line_is_free()
    {
        var problem = Assert.Single(Check("revpi-connect-4", [], ["GPIO6"]));

        Assert.Equal("GPIO6 is reserved for the digital input, which the PiBridge driver holds", problem.What);
        Assert.Equal("No line of a KUNBUS RevPi Connect 4 (Compute Module 4) is free: connect the signal to a remote I/O module on a bus", problem.Cure);
    }

    // with, port, parity, what is said; nothing when all is well
    public static TheoryData<string, string, string, bool, string> Ports => new()
    {
        { "raspberry-pi-4", "dtoverlay=disable-bt", "/dev/ttyAMA0", true, "" },
        { "raspberry-pi-4", "dtoverlay=disable-bt", "/dev/serial0", true, "" },
        { "raspberry-pi-4", "enable_uart=1", "/dev/ttyS0", false, "" },
        { "raspberry-pi-4", "enable_uart=1", "/dev/serial0", true, "error: /dev/serial0 is the mini UART on GPIO14 and GPIO15; its rate hangs on the core's clock, which cannot send a parity bit. Add 'dtoverlay=disable-bt' to config.txt and to 'gateway.with', or set 'parity: none'" },
        { "raspberry-pi-4", "", "/dev/ttyAMA0", true, "warning: /dev/ttyAMA0 is the full UART (PL011) on GPIO14 and GPIO15; as delivered it belongs to Bluetooth, and nothing under 'gateway.with' switches it on. Add 'dtoverlay=disable-bt' to config.txt" },
        { "raspberry-pi-4", "", "/dev/ttyAMA3", true, "nothing under 'gateway.with' switches it on. Add 'dtoverlay=uart2'" },
        { "raspberry-pi-4", "dtoverlay=sc16is752-spi1,int_pin=24", "/dev/ttySC1", true, "" },
        { "raspberry-pi-5", "dtparam=uart0=on", "/dev/ttyAMA0", true, "" },
        { "raspberry-pi-5", "dtparam=uart0=on", "/dev/serial0", true, "error: /dev/serial0 is the UART of the three-pin debug connector. Write /dev/ttyAMA0" },
        { "raspberry-pi-zero-2-w", "", "/dev/serial/by-id/usb-adapter", true, "" },
        { "revpi-connect-4", "", "/dev/ttyRS485-0", true, "" },
    };

    [Theory, MemberData(nameof(Ports))]
    public void Ports_of_the_board_are_held_against_config_txt(string board, string with, string port, bool parity, string said)
    {
        var problems = Check(board, with.Split('|', StringSplitOptions.RemoveEmptyEntries), [], new UsedPort("the bus 'line'", port, parity, At(1)));

        Assert.Contains(said, string.Join("\n", problems), StringComparison.Ordinal);
        Assert.Equal(said.Length > 0 ? 1 : 0, problems.Count);
    }

    [Fact]
    public void A_line_of_a_port_that_is_used_is_taken()
    {
        var problems = Check("raspberry-pi-5", [], ["GPIO14"], new UsedPort("the bus 'line'", "/dev/ttyAMA0", true, At(1)));

        Assert.Contains(problems, p => p.What == "GPIO14 (pin 8) is taken by the bus 'line' (/dev/ttyAMA0)");
    }

    [Fact]
    public void A_board_that_is_wrong_in_itself_is_refused()
    {
        const string text = """
            schema: edgegateway/board/1
            id: own
            title: Own
            level: 3.3 V
            chip: { label: own, lines: 2 }
            power: { 1: GND }
            lines:
              - { offset: 0, name: A, pin: 1 }
              - { offset: 1, name: A, pin: 2 }
              - { offset: 2, name: B, pin: 3 }
            settings:
              - { setting: [dtoverlay=x], what: x, takes: [9] }
            """;

        var (board, problems) = BoardLoader.Load(new("own.yaml", text), _ => null);

        Assert.Null(board);
        var said = string.Join("\n", problems);
        Assert.Contains("two lines have the name A", said, StringComparison.Ordinal);
        Assert.Contains("pin 1 is there twice", said, StringComparison.Ordinal);
        Assert.Contains("own.yaml:10:15: error: the chip has 2 lines, and no line 2", said, StringComparison.Ordinal);
        Assert.Contains("takes line 9, which is not listed", said, StringComparison.Ordinal);
    }

    // A line is NAME or chip/number, with its bias behind it.
    private static IReadOnlyList<EdgeGateway.Core.Problem> Check(string board, string[] with, string[] lines, params UsedPort[] ports)
    {
        var problems = new ProblemCollector();
        YamlNode[] entries = [.. with.Select((w, i) => w.Contains(": ", StringComparison.Ordinal)
            ? (YamlNode)new YamlMap("gateway.yaml", 20 + i, 1, [new(At(20 + i, w.Split(": ")[0]), At(20 + i, w.Split(": ")[1]))])
            : At(20 + i, w))];
        UsedLine[] uses = [.. lines.Select((line, i) =>
        {
            var bias = line.EndsWith(" down", StringComparison.Ordinal) ? LineBias.PullDown : line.EndsWith(" up", StringComparison.Ordinal) ? LineBias.PullUp : LineBias.AsIs;
            var name = bias == LineBias.AsIs ? line : line[..line.LastIndexOf(' ')];
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            return slash < 0
                ? new UsedLine($"input {i + 1}", name, null, null, bias, At(i + 1))
                : new UsedLine($"input {i + 1}", null, name[..slash], int.Parse(name[(slash + 1)..]), bias, At(i + 1));
        })];
        BoardRules.Check(BoardLoader.BuiltIn[board], BoardFitting.Read(entries, problems), uses, ports, problems);
        return problems.ToList();
    }

    private static YamlScalar At(int line, string text = "") => new("gateway.yaml", line, 1, text, true);
}
