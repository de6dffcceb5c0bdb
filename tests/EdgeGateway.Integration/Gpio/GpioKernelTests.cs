using System.Globalization;
using EdgeGateway.Integration.Faults;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Gpio;

/// <summary>The GPIO library on the kernel's own interface, with chips that are simulated below it. Pulses are sent by a program that shares nothing with the library.</summary>
public sealed class GpioKernelTests(GpioMachine machine, ITestOutputHelper output) : IClassFixture<GpioMachine>
{
    [MachineFact]
    public async Task Chips_and_lines_are_found_by_path_name_and_label_and_refusals_say_what_there_is()
    {
        var facts = await FactsAsync("find");
        Assert.Equal("3", facts["chips"]);
        Assert.Equal("tacho,relay", facts["lines"]);
        Assert.Equal("0", facts["tacho"]);
        Assert.Equal("True", facts["same"]);
        Assert.Equal("line 6", facts["unnamed"]);
        Assert.StartsWith("Ambiguous: 2 lines are called \"relay\": line 7 of gpiochip0 (meters), line 1 of gpiochip1 (belts)", facts["twice"], StringComparison.Ordinal);
        Assert.StartsWith("NoLine: no line is called \"pulse-9\": gpiochip0 (meters) has pulse-1, pulse-2,", facts["missing"], StringComparison.Ordinal);
        Assert.StartsWith("NoChip: /dev/gpiochip99 does not exist: there is gpiochip0 (meters) with 9 lines", facts["nochip"], StringComparison.Ordinal);
        Assert.StartsWith("NoChip: no GPIO chip is called \"pumps\": there is gpiochip0 (meters) with 9 lines", facts["nolabel"], StringComparison.Ordinal);
        Assert.StartsWith("NoChip: /dev/null is not a GPIO chip", facts["notachip"], StringComparison.Ordinal);
        Assert.StartsWith("NoLine: gpiochip1 (belts) has no line 2", facts["noline"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task Values_settings_and_clocks_are_what_was_asked_for()
    {
        var facts = await FactsAsync("values");

        // The relay starts active; the lamp is active low and starts dark: both wires are high.
        Assert.Equal("(True, True)", facts["start"]);
        Assert.Equal("(False, False)", facts["changed"]);
        Assert.Equal("(True, True, 5)", facts["both"]);
        Assert.Equal("line 8 \"lamp\" values Output active-low", facts["info"]);
        Assert.Equal("OpenDrain", facts["drive"]);
        Assert.Equal("line 0 of gpiochip0 is not an output", facts["input"]);

        // One edge each, before and after the settings were changed; the numbers go on.
        Assert.Equal("1+1", facts["edges"]);
        Assert.Equal("1,2", facts["numbers"]);
        Assert.InRange(Number(facts, "realtime-us"), 0, 60_000_000);
        Assert.InRange(Number(facts, "monotonic-us"), 0, 60_000_000);
    }

    [MachineFact]
    public async Task Every_pulse_of_the_fastest_burst_is_counted() => Exact(await FactsAsync("burst"));

    [MachineFact]
    public async Task Every_pulse_of_a_thousand_in_a_second_is_counted() => Exact(await FactsAsync("fast"));

    [MachineFact]
    public async Task Six_meters_at_50_Hz_are_counted_exactly_and_without_allocation()
    {
        var facts = await FactsAsync("six");
        var each = Number(facts, "sent") / 6;
        Assert.Equal(string.Join(",", Enumerable.Repeat(each, 6)), facts["counts"]);
        Assert.Equal("0", facts["lost"]);

        // Of the edges from the first fifth to the last. The smallest object has 24 bytes: one for each edge, or even for each tenth,
        // would be above this; the runtime's own (a thousand bytes were seen once) are not.
        Assert.InRange(Number(facts, "bytes"), 0, Number(facts, "sent"));
    }

    [MachineFact]
    public async Task Contact_bounce_is_filtered_by_the_kernel_or_counted_apart()
    {
        var facts = await FactsAsync("debounce");
        Assert.Equal(facts["sent"], facts["debounced"]);
        Assert.Equal("10000", facts["period-us"]);
        Assert.Equal(facts["sent"], facts["judged"]);
        Assert.Equal(4 * Number(facts, "sent"), Number(facts, "toofast"));
        Assert.Equal("0", facts["missing"]);
    }

    [MachineFact]
    public async Task A_debounce_that_the_rule_refuses_loses_pulses()
    {
        var facts = await FactsAsync("debounce-too-long");
        Assert.InRange(Number(facts, "count"), 0, Number(facts, "sent") - 1);
        Assert.StartsWith("a debounce of 2 ms loses pulses whose levels last 5 ms", facts["rule"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task An_overflow_is_counted_and_said()
    {
        var facts = await FactsAsync("overflow");
        Assert.Equal("16", facts["read"]);
        Assert.Equal(facts["sent"], facts["count"]);
        Assert.Equal(Number(facts, "sent") - 16, Number(facts, "lost"));
        Assert.Equal(facts["lost"], facts["said"]);
    }

    [MachineFact]
    public async Task A_line_that_another_program_has_is_refused_with_its_name()
    {
        var facts = await FactsAsync("taken");
        Assert.StartsWith("Busy: line 8 \"lamp\" of gpiochip0 (meters) is in use by \"other-program\": a line has one owner.", facts["busy"], StringComparison.Ordinal);
        Assert.Equal("given", facts["after"]);
    }

    [MachineFact]
    public async Task A_user_without_the_right_is_told_the_group_and_the_rule()
    {
        var facts = await FactsAsync("no-permission");
        Assert.StartsWith("NotAllowed: /dev/gpiochip0 may not be opened by this user: add the user to group gpio", facts["said"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task A_descriptor_that_holds_something_else_is_refused_and_the_right_one_can_be_waited_for()
    {
        var facts = await FactsAsync("mismatch");
        Assert.Equal("Mismatch: the descriptor holds line 2, 5 of gpiochip0, not line 5, 2 of gpiochip0", facts["order"]);
        Assert.Equal("Mismatch: the descriptor holds line 2, 5 of gpiochip0, not line 0, 1 of gpiochip1", facts["chip"]);
        Assert.Equal("Mismatch: the descriptor holds more lines than the 1 that are expected", facts["fewer"]);
        Assert.StartsWith("Mismatch: the descriptor holds fewer lines than the 3 that are expected", facts["more"], StringComparison.Ordinal);
        Assert.Equal("Mismatch: line 5 \"pulse-6\" of gpiochip0 is not as expected: it reports edges Rising, not Both", facts["settings"]);
        Assert.Equal("Mismatch: line 2 \"pulse-3\" of gpiochip0 is not as expected: its consumer is \"adopt\", not \"somebody\"", facts["consumer"]);
        Assert.StartsWith("Mismatch: the descriptor holds no GPIO lines", facts["pipe"], StringComparison.Ordinal);
        Assert.Equal("3", facts["read"]);
        Assert.Equal("3", facts["number"]);
    }

    [MachineFact]
    public async Task A_chip_that_goes_is_said_and_counts_again_when_it_is_back()
    {
        var facts = await FactsAsync("unplugged");
        Assert.Equal("Gone: line 0 of gpiochip2: the chip was removed (unplugged, or its driver unloaded)", facts["gone"]);
        Assert.StartsWith("Gone: line 0 of gpiochip2", facts["value"], StringComparison.Ordinal);
        Assert.EndsWith("Gone: /dev/gpiochip2: the chip was removed (unplugged, or its driver unloaded)", facts["value"], StringComparison.Ordinal);
        Assert.StartsWith("NoLine: no line is called \"door\"", facts["away"], StringComparison.Ordinal);
        Assert.Equal("100", facts["count"]);
    }

    [MachineFact]
    public async Task A_line_that_is_kept_loses_no_pulse_when_the_counting_process_is_killed()
    {
        var facts = await FactsAsync("kept");
        Assert.Equal(facts["sent"], facts["count"]);
        Assert.Equal("0", facts["breaks"]);
        Assert.Equal("1", facts["requested"]);
        Assert.Equal(FaultScene.IsLong ? "60" : "3", facts["adopted"]);

        // Something was read and not committed: else the proof by numbers was not put to the test.
        Assert.NotEqual("0", facts["recovered"]);
    }

    [MachineFact]
    public async Task The_gateway_loses_no_pulse_when_it_is_killed_while_its_lines_are_kept()
    {
        var facts = await FactsAsync("gateway-kept");
        Assert.Equal(facts["sent"], facts["counts"]);
        Assert.Equal("0", facts["breaks"]);
        Assert.Equal("8", facts["kept"]);
        Assert.Equal(8 * Number(facts, "kills"), Number(facts, "taken-over"));
        Assert.Contains("a kill or restart costs no pulse", facts["loss"], StringComparison.Ordinal);

        // Something was read and not committed: else the proof by numbers was not put to the test.
        Assert.NotEqual("0", facts["recovered"]);
    }

    [MachineFact]
    public async Task The_gateway_loses_no_more_than_it_declares_when_it_is_killed_and_nobody_keeps_its_lines()
    {
        var facts = await FactsAsync("gateway-alone");
        var (sent, counts) = (Numbers(facts["sent"]), Numbers(facts["counts"]));
        for (var i = 0; i < sent.Length; i++)
        {
            Assert.InRange(sent[i] - counts[i], 0, Number(facts, i < sent.Length - 1 ? "most" : "most-belt"));
        }

        Assert.Equal(7 * Number(facts, "kills"), Number(facts, "breaks"));
        Assert.Contains("nobody keeps the line: a kill or restart costs up to 100 pulses and those while it is down, up to 50 a second", facts["loss"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task The_gateway_says_what_is_in_the_way_and_counts_on()
    {
        var facts = await FactsAsync("gateway-faults");

        // Another program has a line: that meter is missing, and its neighbours are not.
        Assert.StartsWith("Bus gpio, line pulse-2: line 1 \"pulse-2\" of gpiochip0 (meters) is in use by \"other-program\": a line has one owner.", facts["busy"], StringComparison.Ordinal);
        Assert.Equal("no connection", facts["missing"]);
        Assert.Equal("0", facts["neighbour"]);
        Assert.Equal("0", facts["given"]);

        // The overflow is counted, and reported.
        Assert.Equal(facts["sent"], facts["count"]);
        Assert.Equal(Number(facts, "sent") - 1024, Number(facts, "untimed"));
        Assert.Equal(4, Number(facts, "conditions") & 4);
        Assert.Equal("Bus gpio, line door: line 0 of gpiochip2: the chip was removed (unplugged, or its driver unloaded)", facts["gone"]);
        Assert.Equal("0", facts["back"]);
        Assert.Equal("1", facts["closed"]);
        Assert.Equal("0: relay.output: on written and confirmed", facts["written"]);
        Assert.Equal("False,True,False", facts["relay"]);
    }

    private static long[] Numbers(string list) => [.. list.Split(',').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];

    private async Task<IReadOnlyDictionary<string, string>> FactsAsync(string trial)
    {
        var facts = await machine.FactsAsync(trial);
        output.WriteLine(string.Join("\n", facts.Select(fact => $"{fact.Key}: {fact.Value}")));
        return facts;
    }

    private static void Exact(IReadOnlyDictionary<string, string> facts)
    {
        Assert.Equal(facts["sent"], facts["count"]);
        Assert.Equal("0", facts["lost"]);
    }

    private static long Number(IReadOnlyDictionary<string, string> facts, string key) => long.Parse(facts[key], CultureInfo.InvariantCulture);
}
