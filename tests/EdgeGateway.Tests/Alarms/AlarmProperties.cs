using EdgeGateway.Core.Alarms;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Alarms;

public class AlarmProperties
{
    private static readonly string[] Devices = ["a", "b", "c"];

    private static readonly AlarmAction[] Actions = Enum.GetValues<AlarmAction>();

    /// <summary>One thing that happens.</summary>
    public enum Act
    {
        Raise,
        Clear,
        Silent,
        Heard,
        Order,
        Wait,
        Shift,
        End,
    }

    public sealed record Event(Act What, int Device, int Point, int Amount);

    private static readonly Gen<Event> Events =
        from what in Gen.Frequency(
            (30, Gen.Constant(Act.Raise)), (20, Gen.Constant(Act.Clear)), (6, Gen.Constant(Act.Silent)), (6, Gen.Constant(Act.Heard)),
            (15, Gen.Constant(Act.Order)), (20, Gen.Constant(Act.Wait)), (1, Gen.Constant(Act.Shift)), (1, Gen.Constant(Act.End)))
        from device in Gen.Choose(0, 2)
        from point in Gen.Choose(0, 5)
        from amount in Gen.Frequency((5, Gen.Choose(0, 20)), (2, Gen.Choose(0, 400)), (1, Gen.Choose(0, 5000)))
        select new Event(what, device, point, amount);

    private static readonly Arbitrary<Event[]> Runs = Gen.ArrayOf(Events, 150).ToArbitrary();

    private static void Do(AlarmRig rig, Event e)
    {
        var device = Devices[e.Device];
        switch (e.What)
        {
            case Act.Raise:
                rig.Raise(device, $"p{e.Point}", (AlarmPriority)(e.Amount % 4));
                break;
            case Act.Clear:
                rig.Clear(device, $"p{e.Point}");
                break;
            case Act.Silent:
                rig.Silent(device);
                break;
            case Act.Heard:
                rig.Heard(device);
                break;
            case Act.Order when rig.Book.List() is { Length: > 0 } list:
                rig.Order(Actions[e.Point % Actions.Length], list[e.Amount % list.Length].Condition.Id, minutes: 1 + e.Amount);
                break;
            case Act.Wait:
                rig.After(e.Amount);
                break;
            case Act.Shift:
                rig.Book.Shift(e.Amount * 1000L);
                break;
            case Act.End:
                rig.Book.End(rig.Now);
                break;
        }
    }

    [Fact]
    public void Whatever_happens_every_condition_that_holds_is_listed_and_nothing_stands_under_what_is_not_there() => Prop.ForAll(Runs, run =>
    {
        var rig = new AlarmRig();
        var standing = new HashSet<string>();
        foreach (var e in run)
        {
            Do(rig, e);
            var id = AlarmRig.Id(Devices[e.Device], $"p{e.Point}");
            _ = e.What switch
            {
                Act.Raise => standing.Add(id),
                Act.Clear => standing.Remove(id),
                _ => false,
            };
            if (e.What == Act.End)
            {
                standing.Clear();
            }

            var list = rig.Book.List().ToDictionary(a => a.Condition.Id);
            Assert.All(standing, s => Assert.True(list.TryGetValue(s, out var entry) && entry.IsStanding, $"{s} holds and is not listed"));
            Assert.All(list.Values, a =>
            {
                if (a.State == AlarmState.Suppressed)
                {
                    // A device that waits for its cause is not listed yet.
                    Assert.True(a.Cause!.EndsWith(".offline", StringComparison.Ordinal) || list.ContainsKey(a.Cause), $"{a.Condition.Id} stands under {a.Cause}, which is not there");
                    Assert.True(a.Condition.Priority != AlarmPriority.Critical, $"{a.Condition.Id} is critical and stands under {a.Cause}");
                    Assert.True(a.Cause != AlarmBook.FloodRule || a.Condition.Priority < AlarmPriority.High, $"{a.Condition.Id} is urgent and was gathered");
                }
            });
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_records_tell_each_state_that_the_list_shows() => Prop.ForAll(Runs, run =>
    {
        var rig = new AlarmRig();
        foreach (var e in run)
        {
            Do(rig, e);
        }

        // Chatter is told as a whole: what counts as standing meanwhile is the last thing that was said.
        var told = rig.Said.GroupBy(r => r.Entry.Condition.Id).ToDictionary(g => g.Key, g => g.Last().Entry.State);
        Assert.All(rig.Book.List(), a => Assert.Equal((a.Condition.Id, a.State), (a.Condition.Id, told.GetValueOrDefault(a.Condition.Id))));
        Assert.All(told.Where(t => t.Value != AlarmState.Normal), t => Assert.Contains(rig.Book.List(), a => a.Condition.Id == t.Key));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_restart_at_any_moment_changes_nothing() => Prop.ForAll(Runs, run =>
    {
        var (straight, restarted) = (new AlarmRig(), new AlarmRig());
        foreach (var e in run)
        {
            Do(straight, e);
            Do(restarted, e);
            restarted.Restart();
        }

        Assert.Equal(straight.Said.Select(r => r.ToString()), restarted.Said.Select(r => r.ToString()));
        Assert.Equal(straight.Save(), restarted.Save());
    }).QuickCheckThrowOnFailure();
}
