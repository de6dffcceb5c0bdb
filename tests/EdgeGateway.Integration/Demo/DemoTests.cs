using System.Text.RegularExpressions;

namespace EdgeGateway.Integration.Demo;

public sealed class DemoTests
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_tour_shows_every_fault_and_the_count_is_clean()
    {
        await using var demo = DemoProcess.Start("--tour", "--plain");

        var exitCode = await demo.EndAsync(TimeSpan.FromMinutes(8));

        var output = demo.Output;
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("NOT SEEN", output);
        Assert.Matches(@"ANOMALY: Belt slip \d", output);
        Assert.Matches("cleared: Belt on BC-01", output);
        Assert.Matches("ANOMALY: concentration_nox .* frozen", output);
        Assert.Matches("cleared: concentration_nox .* moves again", output);
        Assert.Contains("DEVICE OFFLINE: lighting", output);
        Assert.Contains("device online again: lighting", output);
        Assert.Contains("LINK DOWN", output);
        Assert.Matches(@"BROKER DOWN; gateway NOT CONNECTED, outbox [1-9]\d+ messages", output);
        Assert.Matches(@"after the outage: \d+ records received, 0 missing, 0 duplicated", output);
        Assert.Matches(@"Carbon entry of the site: \d+\.\d+ kg CO2e", output);
        Assert.Matches(@"\d+ records live, [1-9]\d* from history\.", output);
        Assert.Matches(@"The count of the centre, from the sequence numbers: \d+ records received, 0 missing, 0 duplicated", output);
        Assert.Equal(4, demo.Children.Count);
        AssertNothingIsLeft(demo);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task After_a_signal_no_process_and_no_directory_is_left(string signal)
    {
        await using var demo = DemoProcess.Start("--plain", "--seconds", "300");
        await demo.UntilAsync("the gateway delivers", StartLimit, () => Regex.IsMatch(demo.Output, "[1-9][0-9]* records live"));
        Assert.Equal(3, demo.LivingChildren.Count);
        Assert.True(Directory.Exists(demo.Directory));

        await demo.SignalAsync(signal);

        var exitCode = await demo.EndAsync(EndLimit);
        if (signal == "KILL")
        {
            // Only the guard is left, and it does its work.
            await demo.UntilAsync("the guard has cleaned up", EndLimit, () => demo.LivingChildren.Count == 0 && !Directory.Exists(demo.Directory));
        }
        else
        {
            Assert.True(exitCode == 0, demo.Output);
            Assert.Matches(@"\d+ records received, 0 missing, 0 duplicated", demo.Output);
        }

        AssertNothingIsLeft(demo);
    }

    private static void AssertNothingIsLeft(DemoProcess demo)
    {
        Assert.NotEmpty(demo.Directory);
        Assert.Empty(demo.LivingChildren);
        Assert.False(Directory.Exists(demo.Directory));
    }
}
