using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Tests.Configuration;

/// <summary>What is written as a scalar is read back as it was, wherever it stands.</summary>
public class YamlWritingTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("/dev/ttyUSB0", "/dev/ttyUSB0")]
    [InlineData("-5", "-5")]
    [InlineData("0.25", "0.25")]
    [InlineData("皮带秤 1", "皮带秤 1")]
    [InlineData("- item", "\"- item\"")]
    [InlineData("---", "\"---\"")]
    [InlineData("null", "\"null\"")]
    [InlineData("True", "\"True\"")]
    [InlineData("", "\"\"")]
    [InlineData(" spaced ", "\" spaced \"")]
    [InlineData("a: b", "\"a: b\"")]
    [InlineData("fe80::1", "\"fe80::1\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    [InlineData("two\nlines", "\"two\\u000Alines\"")]
    public void A_text_is_quoted_only_where_it_has_to_be(string text, string written) => Assert.Equal(written, YamlText.Write(text));

    [Fact]
    public void What_is_written_is_read_back()
    {
        string[] pieces = ["a", "Z9", " ", "\"", "\\", "'", "\n", "\r\n", "\t", ": ", " #", "#", ", ", "}", "]", "{", "[", "&x", "*x", "!t", "%", "@", "`", "|", ">", "---", "...", "~", "null", "\u0000", "\u0007", "\u0085", "\u2028", "\uFEFF", "é", "中", "😀", "<", "-", "?", "=", "0x1F", "1e5"];
        var random = new Random(3);
        for (var i = 0; i < 3000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(0, 6)).Select(_ => pieces[random.Next(pieces.Length)]));
            var problems = new ProblemCollector();
            var map = YamlText.Read(new("x.yaml", $"block: {YamlText.Write(text)}\nflow: [{{ key: {YamlText.Write(text)}, other: 1 }}, {YamlText.Quote(text)}]\n{YamlText.Write($"k{text}")}: 2\n"), problems) as YamlMap;
            Assert.True(map is not null && !problems.HasErrors, $"'{text}': {string.Join('\n', problems.ToList())}");
            Assert.Equal(text, ((YamlScalar)map.Entries[0].Value).Text);
            Assert.False(((YamlScalar)map.Entries[0].Value).IsNull);
            var items = ((YamlList)map.Entries[1].Value).Items;
            Assert.Equal((text, text), (((YamlScalar)((YamlMap)items[0]).Entries[0].Value).Text, ((YamlScalar)items[1]).Text));
            Assert.Equal($"k{text}", map.Entries[2].Key.Text);
        }
    }

    [Theory]
    [InlineData("mine-3", true)]
    [InlineData("mine-3\n", false)]
    [InlineData("a b", false)]
    [InlineData("", false)]
    public void An_id_ends_with_its_last_letter(string id, bool isId) => Assert.Equal(isId, Scalars.IsId(id));
}
