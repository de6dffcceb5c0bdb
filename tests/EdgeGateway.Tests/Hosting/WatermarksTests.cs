using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Hosting;

public sealed class WatermarksTests
{
    [Theory]
    [InlineData(0.69, 0, 0)]
    [InlineData(0.70, 0, 70)]
    [InlineData(0.86, 0, 85)]
    [InlineData(1.00, 0, 95)]
    [InlineData(0.66, 70, 70)]
    [InlineData(0.649, 70, 0)]
    [InlineData(0.901, 95, 95)]
    [InlineData(0.899, 95, 85)]
    [InlineData(0.82, 95, 85)]
    [InlineData(0.79, 95, 70)]
    [InlineData(0.10, 95, 0)]
    public void A_mark_is_reached_at_its_value_and_left_five_points_below(double inUse, int before, int after) =>
        Assert.Equal(after, Watermarks.Next(inUse, before));

    [Fact]
    public void A_store_that_swings_around_a_mark_by_less_than_five_points_changes_it_once()
    {
        var (mark, changes) = (70, 0);
        for (var i = 0; i < 1000; i++)
        {
            var next = Watermarks.Next(0.85 + (0.04 * Math.Sin(i)), mark);
            changes += next == mark ? 0 : 1;
            mark = next;
        }

        Assert.Equal((85, 1), (mark, changes));
    }
}
