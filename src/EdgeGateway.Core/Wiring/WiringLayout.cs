namespace EdgeGateway.Core.Wiring;

/// <summary>A part on the sheet, in sheet units (1/96 inch at full size).</summary>
/// <param name="Part">The part.</param>
/// <param name="X">Left edge.</param>
/// <param name="Y">Upper edge.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
internal sealed record PlacedPart(WiringPart Part, double X, double Y, double Width, double Height)
{
    /// <summary>Centre line of a row; rows begin below the title.</summary>
    public double RowY(int row) => Y + WiringLayout.HeaderHeight(Part) + (row * WiringLayout.RowPitch) + (WiringLayout.RowPitch / 2);

    /// <summary>Centre line of a terminal.</summary>
    public double TerminalY(WiringTerminal terminal)
    {
        var through = Index(Part.Through, terminal);
        if (through >= 0)
        {
            return RowY(through);
        }

        var left = Index(Part.Left, terminal);
        return RowY(Part.Through.Count + (left >= 0 ? left : Index(Part.Right, terminal)));
    }

    private static int Index(IReadOnlyList<WiringTerminal> terminals, WiringTerminal terminal)
    {
        for (var i = 0; i < terminals.Count; i++)
        {
            if (terminals[i] == terminal)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>A wire on the sheet: its corners from one end to the other, always along the axes.</summary>
/// <param name="Wire">The wire.</param>
/// <param name="Corners">The corners.</param>
internal sealed record RoutedWire(WiringWire Wire, IReadOnlyList<(double X, double Y)> Corners);

/// <summary>
/// Where parts stand and wires run. Parts stand in columns; wires leave them sideways, turn in the channel between two columns, where each has a track of
/// its own, and pass a column only above or below all parts: no wire runs over a part or a label.
/// </summary>
internal sealed class WiringLayout
{
    public const double RowPitch = 24;
    public const double TitleSize = 12;
    public const double TextSize = 10;
    public const double NoteLine = 13;
    private const double TrackPitch = 9;
    private const double LanePitch = 10;
    private const double PartGap = 26;
    private const double CharWidth = 0.62;
    private const double BoldWidth = 0.72;
    private const double OverlapCost = 1000;

    private readonly WiringPlan _plan;
    private readonly List<int> _columns;
    private readonly double[] _widths;
    private readonly double[] _phases;

    private WiringLayout(WiringPlan plan)
    {
        _plan = plan;
        _columns = [.. plan.Parts.Select(p => p.Column).Distinct().Order()];
        _widths = [.. _columns.Select(c => plan.Parts.Where(p => p.Column == c).Max(WidthOf))];
        _phases = new double[_columns.Count];
    }

    public IReadOnlyList<PlacedPart> Parts { get; private set; } = [];

    public IReadOnlyList<RoutedWire> Wires { get; private set; } = [];

    /// <summary>Where wires of one terminal part.</summary>
    public IReadOnlyList<(double X, double Y)> Dots { get; private set; } = [];

    public double Width { get; private set; }

    public double Height { get; private set; }

    /// <summary>Places the parts and routes the wires of a plan.</summary>
    /// <param name="plan">The plan.</param>
    public static WiringLayout Of(WiringPlan plan)
    {
        var layout = new WiringLayout(plan);
        var channels = layout.Order();

        // Where two wires would lie over each other in a channel whatever their order, the next column moves by half a row.
        for (var i = 1; i < layout._columns.Count; i++)
        {
            if (channels[i].Overlaps > 0)
            {
                for (var j = i; j < layout._columns.Count; j++)
                {
                    layout._phases[j] = (RowPitch / 2) - layout._phases[j];
                }

                channels = layout.Order();
            }
        }

        layout.Route(channels);
        return layout;
    }

    /// <summary>Width of a text, with reserve: fonts differ.</summary>
    public static double TextWidth(string text, double size, bool isBold = false) => text.Length * size * (isBold ? BoldWidth : CharWidth);

    public static double HeaderHeight(WiringPart part) => 22 + (part.Notes.Count * NoteLine) + 6;

    private static double HeightOf(WiringPart part) =>
        HeaderHeight(part) + ((part.Through.Count + Math.Max(part.Left.Count, part.Right.Count)) * RowPitch) + (part.Barrier is null ? 6 : 18);

    private static double WidthOf(WiringPart part)
    {
        var inner = Math.Max(TextWidth($"{part.Id}  {part.Title}", TitleSize, isBold: true), part.Notes.Select(n => TextWidth(n, TextSize)).DefaultIfEmpty(0).Max());
        var labels = part.Through.Select(t => (TextWidth(t.Label, TextSize) * 1.5) + 20)
            .Concat(Enumerable.Range(0, Math.Max(part.Left.Count, part.Right.Count)).Select(i =>
                (i < part.Left.Count ? TextWidth(part.Left[i].Label, TextSize) : 0) + (i < part.Right.Count ? TextWidth(part.Right[i].Label, TextSize) : 0) + 30))
            .DefaultIfEmpty(0).Max();
        var barrier = part.Barrier is null ? 0 : TextWidth($"isolation: {part.Barrier}", TextSize);
        return Math.Ceiling(Math.Max(100, Math.Max(inner, Math.Max(labels, barrier)) + 16));
    }

    private int ColumnOf(WiringPart part) => _columns.IndexOf(part.Column);

    private int ChannelOf(WiringEnd end) => ColumnOf(end.Part) + (end.IsRight ? 1 : 0);

    // Upper edges such that rows of all columns lie on one grid, apart from the phase of the column.
    private List<PlacedPart> PlaceRows()
    {
        var placed = new List<PlacedPart>();
        for (var column = 0; column < _columns.Count; column++)
        {
            var y = 0.0;
            foreach (var part in _plan.Parts.Where(p => p.Column == _columns[column]))
            {
                y += part.Space * RowPitch;
                var row = y + HeaderHeight(part) + (RowPitch / 2);
                row = (Math.Ceiling((row - _phases[column]) / RowPitch) * RowPitch) + _phases[column];
                y = row - HeaderHeight(part) - (RowPitch / 2);
                placed.Add(new(part, 0, y, _widths[column], HeightOf(part)));
                y += HeightOf(part) + PartGap;
            }
        }

        return placed;
    }

    /// <summary>What turns in a channel, in the order of its tracks from left to right.</summary>
    private Channel[] Order()
    {
        var placed = PlaceRows();
        var bottom = placed.Max(p => p.Y + p.Height);
        double YOf(WiringEnd end) => placed.Find(p => p.Part == end.Part)!.TerminalY(end.Terminal);
        var channels = Enumerable.Range(0, _columns.Count + 1).Select(_ => new Channel()).ToArray();
        foreach (var wire in _plan.Wires)
        {
            var (from, to) = (ChannelOf(wire.From), ChannelOf(wire.To));
            var (fromY, toY) = (YOf(wire.From), YOf(wire.To));
            if (from == to)
            {
                if (fromY != toY)
                {
                    channels[from].Turns.Add(new(wire, wire.From, Math.Min(fromY, toY), Math.Max(fromY, toY), [(fromY, wire.From.IsRight, wire.From), (toY, wire.To.IsRight, wire.To)]));
                }
            }
            else
            {
                var isAbove = (fromY + toY) / 2 < bottom - ((fromY + toY) / 2);
                foreach (var (channel, y, end) in new[] { (from, fromY, wire.From), (to, toY, wire.To) })
                {
                    channels[channel].Turns.Add(new(wire, end, isAbove ? double.NegativeInfinity : y, isAbove ? y : double.PositiveInfinity, [(y, end.IsRight, end)]));
                }
            }
        }

        foreach (var channel in channels)
        {
            channel.Sort();
        }

        return channels;
    }

    private void Route(Channel[] channels)
    {
        var rows = PlaceRows();
        var lanes = Lanes(rows, out var above, out var below);
        var top = (above * LanePitch) + (above > 0 ? 14 : 0);

        // From left to right: the labels of the column on the left, the tracks, the labels of the column on the right.
        var (x, columnX, trackX) = (0.0, new double[_columns.Count], new Dictionary<Turn, double>());
        for (var channel = 0; channel <= _columns.Count; channel++)
        {
            var (left, right) = (LabelZone(channel, isRight: true), LabelZone(channel, isRight: false));
            x += left;
            foreach (var turn in channels[channel].Turns)
            {
                x += TrackPitch;
                trackX[turn] = x;
            }

            x += (channels[channel].Turns.Count > 0 ? TrackPitch : 0) + right;
            if (channel < _columns.Count)
            {
                columnX[channel] = x;
                x += _widths[channel];
            }
        }

        Parts = [.. rows.Select(p => p with { X = columnX[ColumnOf(p.Part)], Y = p.Y + top })];
        var bottom = Parts.Max(p => p.Y + p.Height);
        (Width, Height) = (x, bottom + (below * LanePitch) + (below > 0 ? 14 : 0));
        (double X, double Y) At(WiringEnd end)
        {
            var part = Parts.First(p => p.Part == end.Part);
            return (end.IsRight ? part.X + part.Width : part.X, part.TerminalY(end.Terminal));
        }

        var turns = channels.SelectMany(c => c.Turns).ToList();
        Wires = [.. _plan.Wires.Select(wire =>
        {
            var (from, to) = (At(wire.From), At(wire.To));
            var own = turns.Where(t => t.Wire == wire).ToList();
            if (own.Count == 0)
            {
                return new RoutedWire(wire, [from, to]);
            }

            var first = trackX[own.Find(t => t.End == wire.From)!];
            if (!lanes.TryGetValue(wire, out var lane))
            {
                return new RoutedWire(wire, [from, (first, from.Y), (first, to.Y), to]);
            }

            var second = trackX[own.Find(t => t.End == wire.To)!];
            var y = lane.IsAbove ? top - 14 - (lane.Index * LanePitch) : bottom + 14 + (lane.Index * LanePitch);
            return new RoutedWire(wire, [from, (first, from.Y), (first, y), (second, y), (second, to.Y), to]);
        })];
        Dots = [.. DotsOf(At)];
    }

    // Of several wires of one terminal all part from it but the one that goes farthest.
    private IEnumerable<(double X, double Y)> DotsOf(Func<WiringEnd, (double X, double Y)> at) =>
        Wires.SelectMany(w => new[] { (End: w.Wire.From, Corners: w.Corners), (End: w.Wire.To, Corners: [.. w.Corners.Reverse()]) })
            .GroupBy(e => (e.End.Part.Id, e.End.Terminal.Id, e.End.IsRight))
            .Where(g => g.Count() > 1)
            .SelectMany(g =>
            {
                var start = at(g.First().End);
                return g.Select(e => e.Corners[1].X).OrderBy(x => Math.Abs(x - start.X)).SkipLast(1).Select(x => (x, start.Y));
            })
            .Distinct();

    private Dictionary<WiringWire, (bool IsAbove, int Index)> Lanes(List<PlacedPart> rows, out int above, out int below)
    {
        var bottom = rows.Max(p => p.Y + p.Height);
        var lanes = new Dictionary<WiringWire, (bool, int)>();
        var used = new[] { new List<List<(int From, int To)>>(), new List<List<(int From, int To)>>() };
        foreach (var wire in _plan.Wires.Where(w => ChannelOf(w.From) != ChannelOf(w.To)).OrderBy(w => Math.Abs(ChannelOf(w.From) - ChannelOf(w.To))).ThenBy(w => w.Number))
        {
            var middle = new[] { wire.From, wire.To }.Average(e => rows.Find(p => p.Part == e.Part)!.TerminalY(e.Terminal));
            var side = used[middle < bottom - middle ? 0 : 1];
            var (from, to) = (Math.Min(ChannelOf(wire.From), ChannelOf(wire.To)), Math.Max(ChannelOf(wire.From), ChannelOf(wire.To)));
            var index = side.FindIndex(lane => lane.TrueForAll(s => s.To < from || s.From > to));
            if (index < 0)
            {
                index = side.Count;
                side.Add([]);
            }

            side[index].Add((from, to));
            lanes[wire] = (side == used[0], index);
        }

        (above, below) = (used[0].Count, used[1].Count);
        return lanes;
    }

    // Labels stand over the wires beside the parts, where nothing else crosses.
    private double LabelZone(int channel, bool isRight)
    {
        var ends = _plan.Wires.SelectMany(w => new[] { w.From, w.To }).Where(e => ChannelOf(e) == channel && e.IsRight == isRight).ToList();
        return ends.Count == 0 ? 10 : 14 + ends.GroupBy(e => (e.Part.Id, e.Terminal.Id)).Max(g => TextWidth(LabelAt(g.First()), TextSize - 0.5));
    }

    /// <summary>What stands over the wires at one terminal: their numbers, and colour and cross-section where they share them.</summary>
    public string LabelAt(WiringEnd end)
    {
        var wires = _plan.Wires.Where(w => IsAt(w.From, end) || IsAt(w.To, end)).ToList();
        return wires is [var only] ? only.Label
            : wires.Select(w => (w.Colour, w.Section)).Distinct().Count() == 1 ? string.Join('+', wires.Select(w => w.Number)) + wires[0].Label[$"{wires[0].Number}".Length..]
            : string.Join('+', wires.Select(w => w.Colour == "plug" ? $"{w.Number}" : $"{w.Number} {w.Colour}"));
    }

    private static bool IsAt(WiringEnd one, WiringEnd other) => one.Part == other.Part && one.Terminal == other.Terminal && one.IsRight == other.IsRight;

    /// <summary>A wire that turns in a channel: from where to where it runs upright, and the heights at which it leaves to a side.</summary>
    private sealed record Turn(WiringWire Wire, WiringEnd End, double Low, double High, IReadOnlyList<(double Y, bool FromLeft, WiringEnd End)> Stubs);

    private sealed class Channel
    {
        public List<Turn> Turns { get; } = [];

        /// <summary>Places where two different wires lie over each other.</summary>
        public int Overlaps => (int)(Cost() / OverlapCost);

        /// <summary>Orders the tracks so that few wires cross: moves one track at a time for as long as that helps.</summary>
        public void Sort()
        {
Turns.Sort((a, b) => a.Stubs.Average(s => s.Y).CompareTo(b.Stubs.Average(s => s.Y)) is var order and not 0 ? order : a.Wire.Number.CompareTo(b.Wire.Number));
            var best = Cost();
            for (var improved = true; improved;)
            {
                improved = false;
                for (var from = 0; from < Turns.Count; from++)
                {
                    for (var to = 0; to < Turns.Count; to++)
                    {
                        if (from == to)
                        {
                            continue;
                        }

                        Move(from, to);
                        var cost = Cost();
                        if (cost < best)
                        {
                            (best, improved) = (cost, true);
                        }
                        else
                        {
                            Move(to, from);
                        }
                    }
                }
            }
        }

        private void Move(int from, int to)
        {
            var turn = Turns[from];
            Turns.RemoveAt(from);
            Turns.Insert(to, turn);
        }

        private double Cost()
        {
            var cost = 0.0;
            for (var i = 0; i < Turns.Count; i++)
            {
                for (var j = i + 1; j < Turns.Count; j++)
                {
                    // Track i lies left of track j: what i sends to the right crosses j, what j sends to the left crosses i.
                    foreach (var (y, fromLeft, _) in Turns[i].Stubs)
                    {
                        cost += !fromLeft && y > Turns[j].Low && y < Turns[j].High ? 1 : 0;
                    }

                    foreach (var (y, fromLeft, end) in Turns[j].Stubs)
                    {
                        cost += fromLeft && y > Turns[i].Low && y < Turns[i].High ? 1 : 0;
                        cost += fromLeft && Turns[i].Stubs.Any(s => !s.FromLeft && s.Y == y && !IsAt(s.End, end)) ? OverlapCost : 0;
                    }
                }
            }

            return cost;
        }
    }
}
