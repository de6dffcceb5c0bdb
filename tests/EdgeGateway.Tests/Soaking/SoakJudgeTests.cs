using System.Text.Json;
using EdgeGateway.Soaking;

namespace EdgeGateway.Tests.Soaking;

/// <summary>Verdicts over made-up looks at a gateway that takes 1,000 samples a second for an hour, looked at every ten seconds.</summary>
public sealed class SoakJudgeTests
{
    private const double Hour = 3_600;
    private const double WarmUp = 900;

    [Fact]
    public void A_gateway_that_holds_its_level_is_clean_and_its_figures_are_those_after_the_warm_up()
    {
        var document = Judge(Looks(l => l.Time < WarmUp ? l with { OwnBytes = 90_000_000 } : l));
        Assert.Empty(document.Findings);
        Assert.Equal("clean", document.Verdict);
        Assert.Equal(40_000_000, document.OwnBytes!.Value, 0.0);
        Assert.Equal(1_000, document.SamplesPerSecond!.Value, 6);
        Assert.Equal(2, document.CpuPercent!.Value, 6);
        Assert.Equal(20, document.WrittenBytesPerSample!.Value, 6);
        Assert.Equal(20 * 1_000 * 86_400.0, document.WrittenBytesPerDay!.Value, 1);
        Assert.All(document.Trends, t => Assert.Equal("steady", t.Verdict));
    }

    [Fact]
    public void A_leak_of_memory_is_named_with_its_size()
    {
        var document = Judge(Looks(l => l with { OwnBytes = 40_000_000 + (long)(l.Time * 5_000) }));
        Assert.Equal("fault", document.Verdict);
        Assert.Equal("own memory grows by 432 MB a day (99 %: 432 to 432), and did so to the end.", Assert.Single(document.Findings));
    }

    [Fact]
    public void A_leak_of_handles_is_named() =>
        Assert.StartsWith("handles grows by", Assert.Single(Judge(Looks(l => l with { Handles = 100 + (int)(l.Time / 100) })).Findings), StringComparison.Ordinal);

    [Fact]
    public void Work_that_becomes_dearer_is_a_drift()
    {
        // The cost of a sample doubles over the hour.
        var document = Judge(Looks(l => l with { CpuSeconds = 0.02 * (l.Time + (l.Time * l.Time / Hour / 2)) }));
        Assert.StartsWith("processor grows by", Assert.Single(document.Findings), StringComparison.Ordinal);
    }

    [Fact]
    public void Missed_periods_restarts_and_silence_are_faults()
    {
        Assert.Contains(Judge(Looks(l => l with { Missed = l.Time > 2_000 ? 3 : 0 })).Findings, f => f.StartsWith("3 periods were missed", StringComparison.Ordinal));
        Assert.Contains(Judge(Looks(l => l with { ProcessId = l.Time > 2_000 ? 8 : 7 })).Findings, f => f.StartsWith("The gateway was started again 1 times", StringComparison.Ordinal));
        Assert.Equal("fault", SoakJudge.Judge("x", default, Looks(l => l), unanswered: 2, Hour, WarmUp).Verdict);
        Assert.Equal(["The gateway did not answer 9 times.", "The gateway never answered."], SoakJudge.Judge("x", default, [], unanswered: 9, Hour, WarmUp).Findings);
        Assert.Contains(Judge(Looks(l => l with { Samples = 5 })).Findings, f => f.StartsWith("No sample was taken", StringComparison.Ordinal));
    }

    [Fact]
    public void A_short_soak_has_figures_and_no_word_of_leaks()
    {
        var document = SoakJudge.Judge("x", default, [.. Looks(l => l).Take(10)], unanswered: 0, 100, 25);
        Assert.Equal("too-short", document.Verdict);
        Assert.NotNull(document.ResidentBytes);
        Assert.All(document.Trends, t => Assert.Null(t.PerDay));
    }

    [Fact]
    public void Text_and_JSON_can_be_made_of_every_verdict()
    {
        foreach (var looks in (List<SoakLook>[])[Looks(l => l), [.. Looks(l => l).Take(3)], []])
        {
            var document = SoakJudge.Judge("gateway gw-7", default, looks, unanswered: 0, Hour, looks.Count < 10 ? 0 : WarmUp);
            Assert.Contains("gateway gw-7", SoakView.Text(document), StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", SoakView.Text(document), StringComparison.Ordinal);
            Assert.Equal(document.Verdict, JsonDocument.Parse(JsonSerializer.Serialize(document, SoakJson.Default.SoakDocument)).RootElement.GetProperty("verdict").GetString());
        }
    }

    private static SoakDocument Judge(IReadOnlyList<SoakLook> looks) => SoakJudge.Judge("x", default, looks, unanswered: 0, Hour, WarmUp);

    private static List<SoakLook> Looks(Func<SoakLook, SoakLook> change) => [.. Enumerable.Range(0, 360).Select(i => i * 10).Select(t => change(new SoakLook(
        t, 7, 100_000_000, 40_000_000, 60_000_000, 100, 14, 4_000_000, 50_000_000, 0.02 * t, 20_000L * t, 50_000L * t, 1_000L * t, 0, 0, 0)))];
}
