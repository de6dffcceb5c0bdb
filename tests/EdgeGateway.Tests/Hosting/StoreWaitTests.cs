using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Tests.Writing;

namespace EdgeGateway.Tests.Hosting;

public sealed class StoreWaitTests
{
    private static StoreWait Make() => new(WriteTexts.Site(), new GatewayClock(new ManualTime()));

    [Fact]
    public void A_store_that_cannot_be_opened_is_tried_again_ever_less_often()
    {
        var wait = Make();
        List<double> seconds = [];
        for (var i = 0; i < 9; i++)
        {
            wait.Fails("disk I/O error");
            seconds.Add(wait.Retry.TotalSeconds);
        }

        Assert.Equal([5, 10, 20, 40, 80, 160, 300, 300, 300], seconds);

        // Files that cannot be written are only looked at: that costs nothing, and the repair is seen soon.
        wait.CannotWrite("read-only");
        Assert.Equal((5, "read-only"), (wait.Retry.TotalSeconds, wait.Problem));
    }

    [Fact]
    public void A_problem_is_news_once()
    {
        var wait = Make();
        Assert.True(wait.Fails("disk I/O error"));
        Assert.False(wait.Fails("disk I/O error"));
        wait.CannotWrite("read-only");
        Assert.False(wait.Fails("disk I/O error"));
        Assert.True(wait.Fails("access denied"));
    }
}
