using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Validation;

namespace EdgeGateway.Tests.Alarms;

public class AlarmMessagesTests
{
    private static readonly AlarmCondition Hot = new()
    {
        Id = "fan.bearing.limit",
        Rule = "limit",
        Priority = AlarmPriority.High,
        Since = Instant.Parse("2026-03-01T08:00:00Z"),
        Device = "fan",
        DeviceName = "Fan 3",
        Point = "bearing",
        Value = 96.5,
        Limit = 95,
        ValueText = "96.5 °C",
        LimitText = "95 °C",
        Text = "the detector's own words",
    };

    /// <summary>What can raise an alarm: every detector of the table, the watches of counters and of permits, the accounts, and the book itself.</summary>
    public static TheoryData<string> Rules => [.. Detectors.ByName.Keys, .. CounterTrack.Findings, .. PermitWatch.Detectors, "methane-balance", "fuel-stack", AlarmBook.OfflineRule, AlarmBook.BusRule, AlarmBook.FloodRule];

    [Theory, MemberData(nameof(Rules))]
    public void Every_rule_has_its_texts_in_every_language(string rule) => Assert.All(
        AlarmMessages.Languages,
        language => Assert.True(
            AlarmMessages.In(language).Rules.ContainsKey(rule),
            $"The rule '{rule}' has no texts: add \"{rule}\": {{ \"what\": ..., \"likely\": ..., \"next\": ... }} to src/EdgeGateway.Core/Alarms/Messages/{language}.json"));

    [Fact]
    public void The_tables_have_the_same_keys_and_placeholders()
    {
        var first = AlarmMessages.In(AlarmMessages.Languages[0]);
        Assert.All(AlarmMessages.Languages.Select(AlarmMessages.In), other =>
        {
            Assert.Equal(first.Rules.Keys.Order(StringComparer.Ordinal), other.Rules.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(first.Words.Keys.Order(StringComparer.Ordinal), other.Words.Keys.Order(StringComparer.Ordinal));
            Assert.All(other.Words, word => Assert.Equal(AlarmMessages.NamesIn(first.Words[word.Key]), AlarmMessages.NamesIn(word.Value)));
            Assert.All(other.Rules, rule =>
            {
                var texts = Texts(rule.Value);
                Assert.All(texts, text => Assert.NotEqual("", text));
                Assert.All(texts.SelectMany(AlarmMessages.NamesIn), name => Assert.Contains(name, AlarmMessages.Placeholders));
                Assert.Equal(
                    Texts(first.Rules[rule.Key]).Select(t => string.Join(' ', AlarmMessages.NamesIn(t).Distinct().Order(StringComparer.Ordinal))),
                    texts.Select(t => string.Join(' ', AlarmMessages.NamesIn(t).Distinct().Order(StringComparer.Ordinal))));
            });
        });
    }

    [Fact]
    public void States_and_priorities_have_a_word_in_every_language() => Assert.All(AlarmMessages.Languages.Select(AlarmMessages.In), messages =>
    {
        Assert.All(AlarmWords.Priorities, p => Assert.True(messages.Words.ContainsKey(p.Word()), $"{messages.Language}: {p.Word()}"));
        Assert.All(Enum.GetValues<AlarmState>().Where(s => s != AlarmState.Normal), s => Assert.True(messages.Words.ContainsKey(s.Word()), $"{messages.Language}: {s.Word()}"));
    });

    [Fact]
    public void An_explanation_holds_the_numbers_that_led_to_it()
    {
        var english = AlarmMessages.In("en").Explain(Hot);
        Assert.Equal("bearing of Fan 3 is at 96.5 °C, beyond the limit of 95 °C, since 2026-03-01T08:00:00.000Z.", english.What);
        Assert.NotEqual("", english.Likely);
        Assert.NotEqual("", english.Next);
        Assert.Equal("Fan 3 的 bearing 为 96.5 °C，越过限值 95 °C，自 2026-03-01T08:00:00.000Z 起。", AlarmMessages.In("zh").Explain(Hot).What);
        Assert.Contains("no value", AlarmMessages.In("en").Explain(Hot with { ValueText = "" }).What, StringComparison.Ordinal);
    }

    // A text of a device may hold braces, and is not taken for a placeholder of ours.
    [Fact]
    public void What_a_device_says_is_not_filled_in_again() => Assert.EndsWith(
        "{value} {x}", AlarmMessages.In("en").Explain(Hot with { Rule = "flag", Text = "{value} {x}" }).What, StringComparison.Ordinal);

    [Fact]
    public void A_rule_of_a_newer_program_has_the_words_of_its_detector() =>
        Assert.Equal(new AlarmExplanation("the detector's own words", "", ""), AlarmMessages.In("zh").Explain(Hot with { Rule = "from-the-future" }));

    [Theory]
    [InlineData("limit", "limit")]
    [InlineData("flag-3", "flag")]
    [InlineData("phase-loss", "phase-loss")]
    [InlineData("thd2", "thd2")]
    public void Detectors_of_single_bits_share_the_texts_of_their_kind(string detector, string rule) => Assert.Equal(rule, AlarmMessages.RuleOf(detector));

    private static string[] Texts(AlarmMessage message) => [message.What, message.Likely, message.Next];
}
