using EdgeGateway.Core.Outbox;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Outbox;

public sealed class DeliveryCursorTests
{
    [Fact]
    public void Behaves_like_a_set_of_row_ids()
    {
        var acknowledgement = from first in Gen.Choose(1, 60) from length in Gen.Choose(0, 6) select (First: first, Last: first + length);
        Prop.ForAll(Gen.Choose(0, 10).ToArbitrary(), acknowledgement.ListOf().ToArbitrary(), (floor, all) =>
        {
            var cursor = new DeliveryCursor(floor);
            var model = Enumerable.Range(1, floor).Select(i => (long)i).ToHashSet();
            foreach (var (first, last) in all)
            {
                cursor.Acknowledge(first, last);
                for (long id = first; id <= last; id++)
                {
                    model.Add(id);
                }

                for (long id = 1; id <= 70; id++)
                {
                    Assert.Equal(model.Contains(id), cursor.Contains(id));
                }

                var previous = cursor.Floor;
                foreach (var run in cursor.Runs)
                {
                    Assert.True(run.First > previous + 1 && run.Last >= run.First, "Runs are sorted and neither touch each other nor the floor.");
                    previous = run.Last;
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Live_rows_that_overtake_history_melt_into_the_floor()
    {
        var cursor = new DeliveryCursor(10);
        cursor.Acknowledge(101, 200);
        Assert.Equal([(101L, 200L)], cursor.Runs);
        cursor.Acknowledge(11, 100);
        Assert.Empty(cursor.Runs);
        Assert.Equal(200, cursor.Floor);
    }

    [Fact]
    public void A_copy_changes_by_itself()
    {
        var cursor = new DeliveryCursor(3);
        cursor.Acknowledge(7);
        var copy = cursor.Copy();
        copy.Acknowledge(4, 6);
        Assert.Equal(7, copy.Floor);
        Assert.Equal(3, cursor.Floor);
        Assert.False(cursor.Contains(5));
        Assert.True(cursor.Contains(7));
    }
}
