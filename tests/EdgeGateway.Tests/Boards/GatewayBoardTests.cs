using EdgeGateway.Tests.Configuration;

namespace EdgeGateway.Tests.Boards;

/// <summary>What <c>check</c> says of the board that gateway.yaml names.</summary>
public class GatewayBoardTests
{
    private static readonly string Site = Texts.Gateway
        .With("gateway: { id: gw-01 }", "gateway: { id: gw-01, board: raspberry-pi-4, with: [dtoverlay=disable-bt] }")
        .With(
            "  - { id: line-1, type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600 }",
            """
              - { id: line-1, type: modbus-rtu, port: /dev/ttyAMA0, baud: 9600 }
              - id: contacts
                type: gpio
                inputs:
                  - { unit: 1, input: 1, line: GPIO17, use: contact, bias: pull-up }
                  - { unit: 1, input: 2, chip: pinctrl-bcm2711, offset: 27, use: contact }
                  - { unit: 2, line: GPIO5, lineB: GPIO6, use: quadrature, minimumPulse: 10ms }
            """);

    // passage, what it becomes, line of the problem, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        { "line: GPIO17", "line: GPIO27", 11, "GPIO27 (pin 13) is used twice, by input 1 of unit 1 on the bus 'contacts' (line 10) and by input 2 of unit 1 on the bus 'contacts'", "Choose a free line: " },
        { "lineB: GPIO6", "lineB: GPIO17", 12, "line GPIO17 is used twice: input 1 of unit 1 has it already", "A line has one owner" },
        { "line: GPIO17", "line: GPIO14", 10, "GPIO14 (pin 8) is taken by the UART of the header (dtoverlay=disable-bt)", "Choose a free line: " },
        { "line: GPIO17", "line: ID_SCL", 10, "ID_SCL (pin 28) is reserved for the ID EEPROM", "Choose a free line: " },
        { "line: GPIO17", "line: pin17", 10, "has no line 'pin17'", "Pin 17 is 3.3 V." },
        { "offset: 27", "offset: 60", 11, "pinctrl-bcm2711 has 58 lines, and no line 60", "0 to 27" },
        { "line: GPIO17, use: contact, bias: pull-up", "line: GPIO3, use: contact, bias: pull-down", 10, "GPIO3 (pin 5) has 1.8 kohm to 3.3 V on the board", "pull-up" },
        { "with: [dtoverlay=disable-bt]", "with: [enable_uart=1]", 6, "/dev/ttyAMA0 is the full UART (PL011)", "Add 'dtoverlay=disable-bt' to config.txt" },
        { "with: [dtoverlay=disable-bt]", "with: [dtoverlay=disable-bt, GPIO17: power-loss signal of the UPS]", 10, "GPIO17 (pin 11) is taken by 'power-loss signal of the UPS'", "Choose a free line" },
        { "with: [dtoverlay=disable-bt]", "with: [dtoverlay=disable-bt, disable-wifi]", 3, "'disable-wifi' is neither a line of config.txt", "dtoverlay=..." },
        { "board: raspberry-pi-4, ", "", 3, "no board is named", "Add 'board:', or leave out 'with'" },
        { "board: raspberry-pi-4", "board: raspberry-pi4", 3, "'board' is 'raspberry-pi4', which is not known", "Did you mean 'raspberry-pi-4'?" },
    };

    [Fact]
    public void What_fits_together_is_not_spoken_of() =>
        Assert.DoesNotContain(Texts.Load(Site).Problems, p => p.What.Contains("(pin ", StringComparison.Ordinal) || p.What.Contains("/dev/", StringComparison.Ordinal));

    [Theory, MemberData(nameof(Mistakes))]
    public void What_is_wrong_has_its_place_in_gateway_yaml(string passage, string replacement, int line, string what, string cure)
    {
        var problem = Assert.Single(Texts.Load(Site.With(passage, replacement)).Problems, p => p.Line == line && p.What.Contains(what, StringComparison.Ordinal));

        Assert.Contains(cure, problem.Cure, StringComparison.Ordinal);
    }
}
