using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Hosting;

/// <summary>What is noted beside the last good configuration.</summary>
public sealed class GoodCopyTests
{
    [Fact]
    public void A_refusal_is_read_as_it_was_noted_until_it_is_forgotten_and_a_note_that_rotted_is_none()
    {
        var storage = Directory.CreateTempSubdirectory("edgegateway-good-").FullName;
        try
        {
            Assert.Null(GoodCopy.Refused(storage));
            var refusal = new ConfigurationRefusal("abc", new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero), "gateway.yaml:3:1: error: two\nlines");
            GoodCopy.Note(storage, refusal);
            Assert.Equal(refusal with { Why = "gateway.yaml:3:1: error: two lines" }, GoodCopy.Refused(storage));
            GoodCopy.Forget(storage);
            GoodCopy.Forget(storage);
            Assert.Null(GoodCopy.Refused(storage));
            File.WriteAllText(Path.Combine(storage, GoodCopy.DirectoryName, "refused.txt"), "abc\nyesterday");
            Assert.Null(GoodCopy.Refused(storage));
        }
        finally
        {
            Directory.Delete(storage, recursive: true);
        }
    }
}
