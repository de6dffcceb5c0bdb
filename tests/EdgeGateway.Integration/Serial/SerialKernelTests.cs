using System.Globalization;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Serial;

/// <summary>Serial lines, a USB adapter and the computer's own health on the kernel's own interfaces, with hardware that is simulated below them.</summary>
public sealed class SerialKernelTests(SerialMachine machine, ITestOutputHelper output) : IClassFixture<SerialMachine>
{
    [MachineFact]
    public async Task A_line_that_the_kernel_switches_is_read()
    {
        var facts = await FactsAsync("clean");
        Assert.Equal(("0", "0"), (facts["wrong"], facts["echoes"]));
        MostAreGood(facts);
    }

    [MachineTheory]
    [InlineData("noise", "CorruptFrame,ShortReply,Timeout", "are damaged")]
    [InlineData("lost", "CorruptFrame,ShortReply,Timeout", "of the answers break off")]
    [InlineData("collisions", "CorruptFrame,ShortReply,Timeout", "while nothing was asked. Another client uses the line")]
    public async Task A_disturbed_line_brings_no_wrong_value_and_recovers(string trial, string reasons, string words)
    {
        var facts = await FactsAsync(trial);
        Assert.Equal("0", facts["wrong"]);
        Assert.NotEqual("", facts["reasons"]);
        Assert.All(facts["reasons"].Split(','), reason => Assert.Contains(reason.Split(':')[0], reasons.Split(',')));
        Assert.NotEqual("", facts["causes"]);
        Assert.Contains(words, facts["causes"], StringComparison.Ordinal);
        Assert.NotEqual("never", facts["recovered"]);
    }

    [MachineFact]
    public async Task The_own_bytes_heard_back_are_skipped_and_counted()
    {
        var facts = await FactsAsync("echo");
        Assert.Equal("0", facts["wrong"]);
        MostAreGood(facts);
        Assert.InRange(Number(facts, "echoes"), Number(facts, "good"), long.MaxValue);
        Assert.Contains("echo of our own requests", facts["causes"], StringComparison.Ordinal);
        Assert.Contains("It does no harm as long as devices answer", facts["causes"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task A_wrong_rate_is_named()
    {
        var facts = await FactsAsync("wrong-baud");
        Assert.Equal(("0", "0"), (facts["good"], facts["wrong"]));
        Assert.Contains("baud rate and parity", facts["causes"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task A_driver_that_cannot_switch_or_terminate_says_so()
    {
        Assert.Contains("does not switch the direction", (await FactsAsync("no-rs485"))["said"], StringComparison.Ordinal);
        Assert.Contains("cannot switch a termination: leave out 'terminate'", (await FactsAsync("terminate"))["said"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task Who_has_a_port_is_named_to_root_and_by_the_lock_to_others()
    {
        var facts = await FactsAsync("busy");
        var holder = $"(pid {facts["pid"]})";
        Assert.StartsWith("/dev/ttyRS0 is in use by ", facts["root"], StringComparison.Ordinal);
        Assert.Contains(holder, facts["root"], StringComparison.Ordinal);
        Assert.StartsWith("/dev/ttyRS0 is in use by ", facts["nobody"], StringComparison.Ordinal);
        Assert.Contains(holder, facts["nobody"], StringComparison.Ordinal);
        Assert.Equal("none", facts["after"]);
    }

    [MachineFact]
    public async Task A_user_without_the_right_is_told_the_group() =>
        Assert.Contains("it belongs to the group dialout: `sudo usermod -aG dialout ", (await FactsAsync("no-permission"))["said"], StringComparison.Ordinal);

    [MachineFact]
    public async Task The_kernels_console_is_known()
    {
        var facts = await FactsAsync("console");
        Assert.Equal(("True", "False"), (facts["console"], facts["line"]));
    }

    [MachineFact]
    public async Task The_health_of_the_computer_is_what_the_kernel_shows()
    {
        var facts = await FactsAsync("box");
        Assert.Equal("25.5", facts["temperature"]);
        Assert.InRange(Value(facts, "memory"), 1, 99);
        Assert.InRange(Value(facts, "used-after") - Value(facts, "used"), 10, 20);
        Assert.InRange(Value(facts, "written"), 4 << 20, 32 << 20);
        Assert.Equal("0", facts["synchronised"]);
        Assert.InRange(Value(facts, "step"), 3_590, 3_610);
        Assert.InRange(Value(facts, "load"), 0, 10_000);
        Assert.InRange(Value(facts, "uptime"), 1, 3_600);
        Assert.Equal("0", facts["boot-status"]);

        // No eMMC here, and no Raspberry Pi.
        Assert.Equal("NaN", facts["wear"]);
        Assert.StartsWith("power: the kernel shows neither get_throttled nor rpi_volt", facts["not-shown"], StringComparison.Ordinal);
        Assert.Contains("card: the disk vda shows no life_time", facts["not-shown"], StringComparison.Ordinal);

        Assert.Equal(("True", "True", ""), (facts["gone"], facts["back"], facts["after"]));
        Assert.StartsWith("Bus box, temperature: it was shown before, and is no more: the sensor cannot be read", facts["said"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task The_gateway_names_noise_survives_a_pulled_adapter_and_disturbs_nothing_else()
    {
        var facts = await FactsAsync("gateway");
        Assert.Equal(("True", "True", "True"), (facts["online"], facts["named"], facts["clean"]));
        Assert.Equal(("True", "True", "True"), (facts["gone"], facts["goes-on"], facts["back"]));
        Assert.Contains("damaged", facts["noise"], StringComparison.Ordinal);
        Assert.InRange(Number(facts, "damaged"), 1, long.MaxValue);
        Assert.Contains("usb-meter", facts["said"], StringComparison.Ordinal);
        Assert.Equal("no connection", facts["problem"]);
        Assert.InRange(Number(facts, "connects"), 2, 100);
        Assert.Equal(("True", "0"), (facts["box"], facts["exit"]));
    }

    private async Task<IReadOnlyDictionary<string, string>> FactsAsync(string trial)
    {
        var facts = await machine.FactsAsync(trial);
        output.WriteLine(string.Join("\n", facts.Select(fact => $"{fact.Key}: {fact.Value}")));
        return facts;
    }

    // A machine that stands still for a moment stops between two bytes, which ends an answer.
    private static void MostAreGood(IReadOnlyDictionary<string, string> facts) => Assert.InRange(Number(facts, "good"), Number(facts, "reads") / 2, Number(facts, "reads"));

    private static long Number(IReadOnlyDictionary<string, string> facts, string key) => long.Parse(facts[key], CultureInfo.InvariantCulture);

    private static double Value(IReadOnlyDictionary<string, string> facts, string key) => double.Parse(facts[key], CultureInfo.InvariantCulture);
}
