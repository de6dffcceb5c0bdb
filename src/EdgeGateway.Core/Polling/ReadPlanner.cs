using System.Runtime.InteropServices;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>Plans which requests bring a set of points in the least bus time, within the limits, and never with half a value. Pure functions.</summary>
/// <remarks>
/// <para>
/// The plan is the exact optimum, found by dynamic programming over the spans in the order of their addresses. Why that order is enough:
/// a request is a window of addresses; its cost grows with its length and has a fixed part; a window is legal when it is not longer than the
/// limit and contains no forbidden window, so that every part of a legal window is legal too.
/// </para>
/// <para>
/// (1) A span inside another span comes with it for nothing and is left out. The others have, in order, rising first addresses and rising ends.
/// (2) Take any optimum. Shrink each window to the spans that it contains, and leave out windows inside others: nothing becomes dearer or
/// illegal. The windows then have rising starts and rising ends as well. (3) Give each span to the last window that starts at or before it. Of
/// these windows that one reaches farthest, so it contains the span if any window does. The windows thereby get consecutive runs of
/// spans. (4) So an optimum exists among the divisions of the ordered spans into runs, and these are what the recursion compares:
/// best(i) = min over j of cost(first of i to end of j) + best(j + 1). Windows may overlap, for instance in a shared scale register.
/// </para>
/// <para>A window of q addresses holds at most q of the remaining spans: O(n q) after sorting. Ties: fewer requests, then as much as possible at the lower address.</para>
/// </remarks>
public static class ReadPlanner
{
    /// <summary>Makes the plan.</summary>
    /// <param name="points">Index of each point and where it stands.</param>
    /// <param name="limits">What the device answers.</param>
    /// <param name="cost">What a request costs on this bus.</param>
    /// <param name="named">Other registers that the profile names: they may be read to join two blocks whatever the limits say of gaps.</param>
    /// <returns>Requests by table and address; each point is in exactly one.</returns>
    /// <exception cref="ArgumentException">A point is longer than a request may be.</exception>
    public static IReadOnlyList<PlannedRead> Plan(
        IEnumerable<(int Index, RegisterEncoding Encoding)> points, ReadLimits limits, ReadCost cost, IEnumerable<RegisterEncoding>? named = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        limits.Validate(nameof(limits));
        var places = points.Select(p => new PointPlace(p.Index, p.Encoding.Table, AddressWindow.Of(p.Encoding.Span))).ToArray();
        foreach (var place in places)
        {
            ThrowIfTooLong(place, limits, nameof(points));
        }

        Array.Sort(places);
        var forbidden = new List<AddressWindow>();
        var plan = new List<PlannedRead>();
        for (var from = 0; from < places.Length;)
        {
            var table = places[from].Table;
            var to = from;
            while (to < places.Length && places[to].Table == table)
            {
                to++;
            }

            forbidden.Clear();
            if (!limits.MayReadGaps)
            {
                var known = places[from..to].Select(p => p.Window);
                AddressWindow.ForbidOutside(Sorted(named is null ? known : known.Concat(named.Where(n => n.Table == table).Select(n => AddressWindow.Of(n.Span)))), forbidden);
            }

            Cover(places.AsSpan(from, to - from), limits.Most(table), CollectionsMarshal.AsSpan(forbidden), cost, plan);
            from = to;
        }

        return plan;
    }

    /// <summary>Bus time of some requests.</summary>
    public static TimeSpan Time(IEnumerable<PlannedRead> reads, ReadCost cost) => TimeSpan.FromTicks(reads.Sum(r => cost.Of(r.Request.Table, r.Request.Quantity)) / 100);

    internal static void ThrowIfTooLong(PointPlace place, ReadLimits limits, string name)
    {
        if (place.Window.Length > limits.Most(place.Table))
        {
            throw new ArgumentException(
                $"The point at {place.Window.First} needs {place.Window.Length} {TableNames.Of(place.Table)} at once, a request brings {limits.Most(place.Table)} at most.", name);
        }
    }

    /// <summary>The best plan for points of one table.</summary>
    /// <param name="places">The points, sorted.</param>
    /// <param name="most">Most addresses in one request; a point that is longer is read alone.</param>
    /// <param name="forbidden">Windows that no request may contain, sorted by first address; points excepted, which are never divided.</param>
    /// <param name="cost">What a request costs.</param>
    /// <param name="plan">Receives the requests.</param>
    internal static void Cover(ReadOnlySpan<PointPlace> places, int most, ReadOnlySpan<AddressWindow> forbidden, ReadCost cost, List<PlannedRead> plan)
    {
        if (places.IsEmpty)
        {
            return;
        }

        var table = places[0].Table;
        var spans = Undominated(places);
        var count = spans.Count;
        var best = new (long Cost, int Requests)[count + 1];
        var last = new int[count];
        var (next, earliestEnd) = (forbidden.Length - 1, int.MaxValue);
        for (var i = count - 1; i >= 0; i--)
        {
            var first = spans[i].First;
            for (; next >= 0 && forbidden[next].First >= first; next--)
            {
                earliestEnd = Math.Min(earliestEnd, forbidden[next].End);
            }

            best[i] = (long.MaxValue, int.MaxValue);
            for (var j = i; j < count && (j == i || (spans[j].End - first <= most && spans[j].End < earliestEnd)); j++)
            {
                var candidate = (cost.Of(table, spans[j].End - first) + best[j + 1].Cost, best[j + 1].Requests + 1);
                if (candidate.CompareTo(best[i]) <= 0)
                {
                    best[i] = candidate;
                    last[i] = j;
                }
            }
        }

        var member = 0;
        for (var i = 0; i < count; i = last[i] + 1)
        {
            // Each point goes to the last window that starts at or before it.
            var start = member;
            var behind = last[i] + 1 < count ? spans[last[i] + 1].First : int.MaxValue;
            while (member < places.Length && places[member].Window.First < behind)
            {
                member++;
            }

            var points = new int[member - start];
            for (var p = 0; p < points.Length; p++)
            {
                points[p] = places[start + p].Index;
            }

            plan.Add(new(new(table, (ushort)spans[i].First, (ushort)(spans[last[i]].End - spans[i].First)), points));
        }
    }

    /// <summary>The spans of sorted points that are not inside another one.</summary>
    internal static List<AddressWindow> Undominated(ReadOnlySpan<PointPlace> places)
    {
        var spans = new List<AddressWindow>(places.Length);
        foreach (var place in places)
        {
            if (spans.Count > 0 && place.Window.End <= spans[^1].End)
            {
                continue;
            }

            // Of two that begin together the longer one is left.
            if (spans.Count > 0 && place.Window.First == spans[^1].First)
            {
                spans.RemoveAt(spans.Count - 1);
            }

            spans.Add(place.Window);
        }

        return spans;
    }

    private static List<AddressWindow> Sorted(IEnumerable<AddressWindow> windows)
    {
        var sorted = windows.ToList();
        sorted.Sort();
        return sorted;
    }
}
