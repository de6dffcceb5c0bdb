using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Writing;
using EdgeGateway.Tests.Configuration;
using FsCheck;
using FsCheck.Fluent;
using static EdgeGateway.Tests.Writing.WriteTexts;

namespace EdgeGateway.Tests.Writing;

/// <summary>Design, invariant 2: no write unless the profile declares it, the site allows it, and the value is inside the limits.</summary>
public class WriteRulesTests
{
    public static TheoryData<string, string, string, double, ushort[], bool> Good => new()
    {
        { "setpoint", "42.5", "42.5 Hz", 42.5, [4250], true },
        { "setpoint", "0", "0 Hz", 0, [0], true },
        { "setpoint", "50", "50 Hz", 50, [5000], true },
        { "setpoint", "0x1E", "30 Hz", 30, [3000], true },
        { "command", "run", "run", 1, [1], true },
        { "command", " STOP ", "stop", 5, [5], true },
        { "command", "5", "stop", 5, [5], true },
        { "ramp", "1.5", "1.5", 1.5, [0, 0x3FC0], false },
        { "relay", "on", "1", 1, [1], false },
        { "relay", "0", "0", 0, [0], false },
        { "start", "on", "on", 1, [1], true },
    };

    [Theory, MemberData(nameof(Good))]
    public void A_declared_value_becomes_its_registers(string point, string value, string text, double written, ushort[] words, bool single)
    {
        var plan = WriteRules.Decide(Site(), Ask(point, value), out var refusal);
        Assert.Equal("", refusal);
        Assert.Equal((text, written, single), (plan!.Point.Describe(plan.Value), plan.Value, plan.Point.Single));
        Assert.Equal(words, plan.Words);
        Assert.Null(plan.For);
    }

    public static TheoryData<string, string, string, string> Refused => new()
    {
        { "d3", "setpoint", "1", "There is no device 'd3'. Did you mean 'd1'? Devices: d1, d2." },
        { "d1", "setpint", "1", "The device 'd1' has no point 'setpint'. Did you mean 'setpoint'? Writable points of d1: setpoint, command, ramp, relay, start." },
        { "d1", "frequency", "1", "d1.frequency is only read: its profile test-drive does not declare it writable." },
        { "d2", "setpoint", "1", "Writing to d2.setpoint is not allowed at this site. Add 'allowWrites: true' to the device in gateway.yaml" },
        { "d1", "setpoint", "50.1", "d1.setpoint: 50.1 is outside the limits 0 to 50. Allowed: 0 to 50 Hz in steps of 0.1." },
        { "d1", "setpoint", "-0.1", "-0.1 is outside the limits 0 to 50" },
        { "d1", "setpoint", "50.001", "50.001 is outside the limits" },
        { "d1", "setpoint", "12.34", "12.34 is not on a step of 0.1 from 0" },
        { "d1", "setpoint", "fast", "'fast' is no value of d1.setpoint. Allowed: 0 to 50 Hz in steps of 0.1." },
        { "d1", "setpoint", "NaN", "'NaN' is no value" },
        { "d1", "setpoint", "1e400", "'1e400' is no value" },
        { "d1", "setpoint", "1,5", "'1,5' is no value" },
        { "d1", "setpoint", "", "A value is missing." },
        { "d1", "command", "3", "d1.command: 3 is not among the declared values 1, 5. Allowed: run (1), stop (5)." },
        { "d1", "relay", "2", "2 is not among the declared values 0, 1" },
        { "d1", "relay", "0.5", "0.5 is not among the declared values 0, 1" },
        { "d1", "ramp", "1e10", "10000000000 is outside the limits 0.1 to 600" },
        { "d1", "ramp", "0.09", "0.09 is outside the limits" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void Everything_else_is_refused_in_words(string device, string point, string value, string says)
    {
        Assert.Null(WriteRules.Decide(Site(), Ask(point, value, device: device), out var refusal));
        Assert.Contains(says, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void The_value_that_counts_is_the_one_the_register_can_hold()
    {
        var site = Site(profile: Profile.With("min: 0, max: 50, step: 0.1,", "min: 0, max: 50,"));
        Assert.Equal(12.35, WriteRules.Decide(site, Ask("setpoint", "12.345"), out _)!.Value);
        var plan = WriteRules.Decide(site, Ask("ramp", "0.1"), out var refusal);
        Assert.Equal("", refusal);
        Assert.Equal(0.1f, plan!.Value);
    }

    [Theory]
    [InlineData("setpoint", "20", 900, "")]
    [InlineData("setpoint", "20", 0.5, "cannot hold a value for 0.5s: write 1s to 30d")]
    [InlineData("setpoint", "20", 2_592_001, "cannot hold a value for")]
    [InlineData("ramp", "20", 900, "d1.ramp has no safe value to fall back to after 15m. Add 'safe:'")]
    public void A_value_holds_for_a_time_only_where_there_is_a_safe_one(string point, string value, double seconds, string says)
    {
        var plan = WriteRules.Decide(Site(), Ask(point, value, TimeSpan.FromSeconds(seconds)), out var refusal);
        Assert.Equal(says.Length == 0, plan is not null);
        Assert.Contains(says, refusal, StringComparison.Ordinal);
        Assert.Equal(plan is null ? null : TimeSpan.FromSeconds(seconds), plan?.For);
    }

    [Fact]
    public void A_site_makes_values_expire_and_says_for_how_long_at_most()
    {
        var site = Site(Gateway.With("allowWrites: true", "allowWrites: true, points: { setpoint: { write: { expiresAfter: 15m, min: 5, max: 40, atStop: safe } } }"));
        Assert.Equal(TimeSpan.FromMinutes(15), WriteRules.Decide(site, Ask("setpoint", "20"), out _)!.For);
        Assert.Equal(TimeSpan.FromMinutes(1), WriteRules.Decide(site, Ask("setpoint", "20", TimeSpan.FromMinutes(1)), out _)!.For);
        Assert.Null(WriteRules.Decide(site, Ask("setpoint", "20", TimeSpan.FromMinutes(16)), out var refusal));
        Assert.Contains("d1.setpoint may hold a value for 15m at most ('expiresAfter' in gateway.yaml), not for 16m.", refusal, StringComparison.Ordinal);

        // The safe value itself needs nothing to fall back to.
        Assert.Null(WriteRules.Decide(site, Ask("setpoint", "5"), out refusal)!.For);
        Assert.Equal("", refusal);

        // Narrower limits.
        Assert.Null(WriteRules.Decide(site, Ask("setpoint", "40.1"), out _));
        Assert.Null(WriteRules.Decide(site, Ask("setpoint", "4.9"), out _));
        Assert.True(site.Devices[0].Writables[0].SafeAtStop);
    }

    // Maximum of the site, what is asked, whether it may be written: the register holds hundredths, and rounding must not lead out of the limits.
    [Theory]
    [InlineData("42.456", "42.456", false)]
    [InlineData("42.456", "42.455", false)]
    [InlineData("42.456", "42.45", true)]
    [InlineData("42.46", "42.46", true)]
    [InlineData("42.46", "42.459", true)]
    public void A_limit_of_the_site_between_two_steps_of_the_register_is_kept(string max, string asked, bool allowed)
    {
        var site = Site(
            Gateway.With("allowWrites: true", $"allowWrites: true, points: {{ setpoint: {{ write: {{ max: {max} }} }} }}"),
            Profile.With("min: 0, max: 50, step: 0.1,", "min: 0, max: 50,"));
        var plan = WriteRules.Decide(site, Ask("setpoint", asked), out var refusal);
        Assert.Equal(allowed, plan is not null);
        Assert.Contains(allowed ? "" : "would be written as 42.46, outside the limits 0 to 42.456", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void One_point_can_be_kept_from_being_written()
    {
        var site = Site(Gateway.With("allowWrites: true", "allowWrites: true, points: { relay: { write: { allow: false } } }"));
        Assert.Null(WriteRules.Decide(site, Ask("relay", "on"), out var refusal));
        Assert.Contains("Writing to d1.relay is not allowed at this site", refusal, StringComparison.Ordinal);
        Assert.NotNull(WriteRules.Decide(site, Ask("setpoint", "1"), out _));
    }

    [Fact]
    public void The_safe_value_obeys_the_same_permissions()
    {
        Assert.Equal(5, WriteRules.Safe(Site(), "d1", "setpoint", "over", out _)!.Value);
        Assert.Null(WriteRules.Safe(Site(), "d2", "setpoint", "over", out var refusal));
        Assert.Contains("not allowed at this site", refusal, StringComparison.Ordinal);
        Assert.Null(WriteRules.Safe(Site(), "d1", "ramp", "over", out refusal));
        Assert.Contains("has no safe value any more", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_only_be_written_is_never_polled()
    {
        var site = Site();
        Assert.DoesNotContain(site.Points, p => p.Id == "start");
        var start = site.Devices[0].Writables.Single(w => w.Id == "start");
        Assert.Equal(("running", 10, TimeSpan.FromMilliseconds(200)), (start.ReadBackId, start.ReadBack.Address, start.ReadBackAfter));
    }

    [Fact]
    public void What_was_read_back_must_be_the_value_within_half_a_step_or_the_tolerance()
    {
        var plan = WriteRules.Decide(Site(), Ask("setpoint", "20"), out _)!;
        Assert.True(plan.IsConfirmedBy(20, 20, false));
        Assert.True(plan.IsConfirmedBy(20.005, null, false));
        Assert.False(plan.IsConfirmedBy(20.01, 10, true));
        Assert.False(plan.IsConfirmedBy(19.99, null, true));

        var wide = WriteRules.Decide(Site(profile: Profile.With("step: 0.1, safe: 5", "step: 0.1, safe: 5, readBack: { tolerance: 0.5 }")), Ask("setpoint", "20"), out _)!;
        Assert.True(wide.IsConfirmedBy(20.5, 10, false));
        Assert.False(wide.IsConfirmedBy(20.51, 10, true));

        // Within the tolerance and not moved, or not known whether it has moved: only a word of the device counts, and not against what is seen.
        Assert.False(wide.IsConfirmedBy(20.5, 20.5, true));
        Assert.True(wide.IsConfirmedBy(20.5, null, true));
        Assert.False(wide.IsConfirmedBy(20.5, null, false));
        Assert.False(WriteRules.Decide(Site(), Ask("command", "run"), out _)!.IsConfirmedBy(2, 1, true));
    }

    [Fact]
    public void No_text_leads_to_a_value_outside_the_limits()
    {
        var site = Site();
        var points = site.Devices[0].Writables;
        Prop.ForAll(
            Gen.Elements(points.ToArray()).ToArbitrary(),
            Gen.OneOf(
                ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => s.Get),
                ArbMap.Default.GeneratorFor<decimal>().Select(d => d.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                Gen.Choose(-6000, 60_000).Select(i => (i / 100m).ToString(System.Globalization.CultureInfo.InvariantCulture))).ToArbitrary(),
            (point, text) =>
            {
                var plan = WriteRules.Decide(site, Ask(point.Id, text), out var refusal);
                if (plan is null)
                {
                    return refusal.Length > 0;
                }

                var decoded = RegisterCodec.Decode(point.Encoding, plan.Words.ToArray(), out var value, out _);
                return decoded == DecodeStatus.Ok && value == plan.Value
                    && (point.Values?.Contains((decimal)value) ?? (value >= (float)point.Min! && value <= (float)point.Max!));
            }).QuickCheckThrowOnFailure();
    }
}
