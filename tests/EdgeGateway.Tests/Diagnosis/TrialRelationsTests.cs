using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Simulator;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Supplies and loads that look wrong and are not: the relations of a trial know them.</summary>
public class TrialRelationsTests
{
    // Every value a float of its own, and single-phase, split-phase and three-phase devices alike.
    private static readonly DeviceProfile Meter = ProfileImageTests.SiteOf("sunspec-213").Devices[0].Profile;

    [Theory]
    [InlineData(240, true)]
    [InlineData(208, true)]
    [InlineData(170, false)]
    public void Two_phases_of_120_V_are_half_a_turn_or_a_third_of_a_turn_apart(double volts, bool isRight)
    {
        var result = Judge(2, _ => [("voltage.l1_n", 120), ("voltage.l2_n", 120), ("voltage.l1_l2", volts), ("voltage.l3_n", double.NaN)]);
        Assert.Equal(isRight, result.Findings.Count == 0);
    }

    [Fact]
    public void A_three_phase_supply_has_no_phases_half_a_turn_apart()
    {
        var result = Judge(2, _ => [("voltage.l1_n", 120), ("voltage.l2_n", 120), ("voltage.l3_n", 120), ("voltage.l1_l2", 240)]);
        Assert.NotEmpty(result.Findings);
    }

    [Fact]
    public void A_phase_that_nothing_is_wired_to_is_said_and_is_no_fault()
    {
        var result = Judge(2, _ =>
        [
            ("voltage.l1_n", 230), ("voltage.l2_n", 231), ("voltage.l3_n", 0), ("voltage.ln_avg", 230.5), ("voltage.l1_l2", 399), ("voltage.l2_l3", 231), ("voltage.l3_l1", 230),
            ("current.l1", 10), ("current.l2", 5), ("current.l3", 0), ("power.active.l1", 2300), ("power.active.l2", 1155), ("power.active.l3", 0), ("power.active", 3455),
        ]);
        Assert.Empty(result.Findings);
        Assert.Contains("voltage_l3_n shows 0, and L3 carries nothing: either nothing is wired to it, or these are not its registers", result.NotJudged);
    }

    [Fact]
    public void A_phase_that_carries_current_without_voltage_is_a_fault()
    {
        var result = Judge(2, _ => [("voltage.l1_n", 230), ("voltage.l2_n", 231), ("voltage.l3_n", 0), ("current.l3", 7), ("power.active.l3", 1600)]);
        Assert.NotEmpty(result.Findings);
    }

    [Fact]
    public void A_total_of_phases_that_cancel_is_measured_against_what_they_carry()
    {
        // What one phase feeds in, another draws; the total was read a moment later.
        var result = Judge(4, r => [("power.active.l1", 5000), ("power.active.l2", -4000), ("power.active.l3", -980), ("power.active", 60 + r)]);
        Assert.Empty(result.Findings);
        Assert.Empty(result.NotJudged);
        Assert.NotEmpty(Judge(4, r => [("power.active.l1", 5000), ("power.active.l2", -4000), ("power.active.l3", -980), ("power.active", 2000 + r)]).Findings);
    }

    [Fact]
    public void One_round_in_which_a_load_moved_is_open_and_many_in_which_it_stays_off_are_a_fault()
    {
        // A tenth off, by turns on both sides or always on one.
        var one = Judge(1, _ => Off(0.1));
        Assert.Empty(one.Findings);
        Assert.True(one.WantsMoreRounds);
        Assert.Equal("active_power_total is the sum of its phases: 9.09 % off on the mean, which a load that moves between two requests can do too: not judged, 1 round is too few", Assert.Single(one.NotJudged));

        Assert.Empty(Judge(12, r => Off(r % 2 == 0 ? 0.1 : -0.1)).Findings);
        var constant = Judge(12, r => Off(0.1 + (0.01 * (r % 3))));
        Assert.False(constant.WantsMoreRounds);
        Assert.Contains("is the sum of its phases", Assert.Single(constant.Findings).What, StringComparison.Ordinal);

        static (string, double)[] Off(double share) => [("power.active.l1", 1000), ("power.active.l2", 1000), ("power.active.l3", 1000), ("power.active", 3000 * (1 + share))];
    }

    [Fact]
    public void Energy_is_held_against_what_the_power_was_at_both_ends_of_the_time_between_two_rounds()
    {
        // Switched off right behind the second round and on again right before the third, as three rounds cannot tell.
        double[] power = [6000, 6000, 0, 6000];
        Assert.Empty(Grown(power, 2100).Findings);
        Assert.Empty(Grown(power, 5900).Findings);
        Assert.NotEmpty(Grown(power, 500).Findings);
        Assert.NotEmpty(Grown(power, 12000).Findings);

        static TrialResult Grown(double[] power, double wattHours) =>
            Judge(power.Length, r => [("power.active", power[r]), ("energy.active.import", 100_000 + (wattHours * r / (power.Length - 1)))], TimeSpan.FromMinutes(20));
    }

    private static TrialResult Judge(int rounds, Func<int, (string Role, double Value)[]> shown, TimeSpan apart = default) =>
        ProfileTrial.Judge(Meter, [.. Enumerable.Range(0, rounds).Select(r => new TrialRound(apart * r, Registers(shown(r))))]);

    private static RegisterSnapshot Registers((string Role, double Value)[] shown)
    {
        var registers = new RegisterSnapshot();
        foreach (var (role, value) in shown)
        {
            var encoding = Meter.Points.Single(p => p.Role == $"electricity.{role}").Encoding;
            var bits = BitConverter.SingleToUInt32Bits((float)value);
            registers.Put(encoding.Table, encoding.Span.First, [(ushort)(bits >> 16), (ushort)(bits & 0xFFFF)]);
        }

        return registers;
    }
}
