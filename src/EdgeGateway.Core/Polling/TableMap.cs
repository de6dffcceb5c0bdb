using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>
/// What is known of one table of one device: which joints between addresses proved readable, which windows were refused, how long a
/// request may be, and which spans are refused by themselves.
/// </summary>
/// <remarks>
/// The model: a device refuses a window because an address in it does not exist, because it does not answer across some border, or because the window
/// is too long. In each case it refuses every larger window too. A <em>joint</em> is the border in front of an address; a good reply
/// proves all joints inside its window. A refused window is kept until one unproven joint is left in it, which then is the culprit.
/// </remarks>
internal sealed class TableMap
{
    // What must be known until something that has worked, or that may be noise, is believed to be refused.
    public const int RefusalsUntilDoubted = 3;
    public const int SilencesUntilRefused = 2;
    public const int RefusalsUntilDropped = 3;
    public const long TimeUntilDropped = 10 * 60_000;

    private const long FirstPause = 10_000;
    private const long LongestPause = 5 * 60_000;
    private const long DroppedPause = 60 * 60_000;
    private const long FirstProbe = 60_000;
    private const long LongestProbe = 60 * 60_000;
    private const int MostStrikes = 256;

    // After so many gaps that were refused, and none that was read, the others are taken to be refused as well.
    private const int GapsUntilRule = 3;

    private readonly SpanState[] _spans;
    private readonly AddressWindow[] _named;
    private readonly AddressWindow[] _namedRuns;
    private readonly int _most;
    private readonly bool _mayReadGaps;
    private readonly JointSet _proven = new();
    private readonly List<Refusal> _refusals = [];
    private readonly Dictionary<AddressWindow, Strike> _strikes = [];
    private readonly List<AddressWindow> _healthy = [];
    private readonly List<int> _unproven = [];
    private int _longestGood;
    private int _tooLong = int.MaxValue;
    private int _tooLongCount;
    private long _nextLimitProbe = long.MaxValue;
    private int _isolated;
    private bool _hasReadGap;
    private int _gapsNeeded = GapsUntilRule;
    private int _gapsRefused;
    private int _gapRuleCount;
    private long _nextGapProbe = long.MaxValue;

    /// <param name="table">The table.</param>
    /// <param name="spans">Spans of the device's points, sorted, each once.</param>
    /// <param name="named">Other spans that the profile names.</param>
    /// <param name="limits">What the profile says of every request.</param>
    public TableMap(RegisterTable table, IEnumerable<AddressWindow> spans, IEnumerable<AddressWindow> named, ReadLimits limits)
    {
        Table = table;
        _spans = [.. spans.Select(s => new SpanState(s))];
        _named = [.. named];
        _namedRuns = AddressWindow.Joined([.. _spans.Select(s => s.Window).Concat(_named).Order()]);
        _most = limits.Most(table);
        _mayReadGaps = limits.MayReadGaps;
        Limit = _most;
    }

    public RegisterTable Table { get; }

    /// <summary>Grows when a plan may have to change.</summary>
    public int Version { get; private set; }

    /// <summary>Several gaps were refused and none was read: none is asked for, as long as this holds.</summary>
    public bool RefusesGaps { get; private set; }

    /// <summary>Most addresses that are asked for at once.</summary>
    public int Limit { get; private set; }

    /// <summary>When the next thing that was refused may be tried again, on the monotonic clock.</summary>
    public long NextProbe { get; private set; } = long.MaxValue;

    public IReadOnlyList<SpanState> Spans => _spans;

    /// <summary>A span came that had been refused ever since the start: what the device refused then, it may answer now. Lasts until the others are recalled.</summary>
    public bool IsAwake { get; private set; }

    public SpanState Find(AddressWindow window)
    {
        var (low, high) = (0, _spans.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _spans[middle].Window.CompareTo(window) < 0 ? (middle + 1, high) : (low, middle);
        }

        return _spans[low];
    }

    /// <summary>A window came.</summary>
    public void Good(AddressWindow window, long now)
    {
        var isNews = _proven.Add(window);
        _longestGood = Math.Max(_longestGood, window.Length);
        foreach (var (struck, _) in _strikes)
        {
            // What counts is a row of failures, and this ends those of every part of the window.
            if (window.Contains(struck))
            {
                _strikes.Remove(struck);
            }
        }

        for (var i = FirstFrom(window.First); i < _spans.Length && _spans[i].Window.First < window.End; i++)
        {
            var span = _spans[i];
            if (window.Contains(span.Window))
            {
                IsAwake = IsAwake || (span.IsRefused && !span.HasWorked);
                Version += span.IsIsolated ? 1 : 0;
                _isolated -= span.IsIsolated ? 1 : 0;
                span.Answered();
            }
        }

        if (window.Length >= _tooLong)
        {
            (_tooLong, _nextLimitProbe, Limit) = (int.MaxValue, long.MaxValue, _most);
            Changed();
        }
        else if (_tooLong != int.MaxValue && window.Length >= Limit && Limit + 1 < _tooLong)
        {
            // As long as was thought possible: the truth lies higher.
            Limit = (Limit + _tooLong) / 2;
            Changed();
        }

        for (var i = _refusals.Count - 1; i >= 0; i--)
        {
            if (window.Contains(_refusals[i].Window))
            {
                _refusals.RemoveAt(i);
                isNews = true;
            }
        }

        if (isNews)
        {
            _hasReadGap = _hasReadGap || HasGap(window);
            if (_refusals.Count > 0 || RefusesGaps)
            {
                Settle(now);
                Changed();
            }
        }
    }

    /// <summary>A window did not come.</summary>
    /// <param name="window">What was asked for.</param>
    /// <param name="run">The spans that were wanted, none inside another.</param>
    /// <param name="outcome">Not good.</param>
    /// <param name="now">Monotonic time in milliseconds.</param>
    /// <param name="answers">How often the device has answered anything.</param>
    /// <returns>What can be asked at once instead.</returns>
    public Instead Bad(AddressWindow window, IReadOnlyList<AddressWindow> run, ReadOutcome outcome, long now, long answers)
    {
        if (outcome == ReadOutcome.Noise)
        {
            return Instead.Nothing;
        }

        var isRefusal = outcome is ReadOutcome.IllegalAddress or ReadOutcome.IllegalQuantity;
        if (run.Count == 1)
        {
            return BadSpan(Find(run[0]), outcome, now, answers);
        }

        if (!IsKnown(window))
        {
            // What was good before is refused by mistake, or while the device starts; what never was may be silent by the line's fault.
            var isTrusted = _proven.Contains(window) && window.Length <= _longestGood;
            if (isTrusted && !isRefusal)
            {
                return Instead.Nothing;
            }

            if ((isTrusted || !isRefusal) && !HasStruckOut(window, outcome, answers, isTrusted ? RefusalsUntilDoubted : SilencesUntilRefused))
            {
                return isRefusal || HaveWorked(run) ? Instead.Halves : Instead.Nothing;
            }

            if (isTrusted)
            {
                _proven.Remove(window);
            }
        }

        Refuse(window, outcome, now);
        return isRefusal || HaveWorked(run) ? Instead.Pieces : Instead.Nothing;
    }

    /// <summary>Lets a larger request, or another gap, be tried again when its time has come.</summary>
    public void Advance(long now)
    {
        if (now >= _nextGapProbe)
        {
            // The next gap that is refused brings the rule back.
            _nextGapProbe = long.MaxValue;
            _gapsNeeded = _gapsRefused + 1;
            RefusesGaps = false;
            Changed();
        }

        if (now < _nextLimitProbe)
        {
            return;
        }

        var higher = Math.Min(_most, Limit + 1 < _tooLong ? (Limit + _tooLong) / 2 : _tooLong);
        _nextLimitProbe = higher > Limit ? now + ProbePause(_tooLongCount) : long.MaxValue;
        Limit = higher;
        Changed();
    }

    /// <summary>Lets the spans that were refused, and never came, prove themselves again before they are dropped for another hour.</summary>
    /// <param name="now">Monotonic time in milliseconds.</param>
    /// <param name="askNow">Whether they are asked with the next poll, each alone; otherwise when their time comes.</param>
    public void Recall(long now, bool askNow)
    {
        IsAwake = false;
        foreach (var span in _spans)
        {
            if (span.IsRefused && !span.HasWorked)
            {
                span.Recall(now, askNow);
                Version++;
            }
        }
    }

    /// <summary>The refused window that has waited longest to be tried again, or null.</summary>
    public Refusal? DueProbe(long now)
    {
        Refusal? due = null;
        foreach (var refusal in _refusals)
        {
            if (refusal.NextProbe <= now && (due is null || refusal.LastTried < due.LastTried))
            {
                due = refusal;
            }
        }

        if (due is not null)
        {
            due.LastTried = now;
        }

        return due;
    }

    /// <summary>A refused window is being tried again.</summary>
    public void Trying(Refusal refusal, long now)
    {
        refusal.NextProbe = now + ProbePause(refusal.Count);
        SetNextProbe();
    }

    /// <summary>What no request may contain.</summary>
    /// <param name="run">The wanted spans, none inside another.</param>
    /// <param name="except">A refused window that is tried again, or null.</param>
    /// <param name="forbidden">Receives windows, sorted by first address.</param>
    public void Forbid(IReadOnlyList<AddressWindow> run, Refusal? except, List<AddressWindow> forbidden)
    {
        forbidden.Clear();
        if (!_mayReadGaps || RefusesGaps || _isolated > 0)
        {
            ForbidAddresses(except, forbidden);
        }

        foreach (var refusal in _refusals)
        {
            if (refusal != except && !(RefusesGaps && HasGap(refusal.Window)))
            {
                forbidden.Add(refusal.Window);
                Divide(run, refusal.Window, forbidden);
            }
        }

        forbidden.Sort();
    }

    /// <summary>What is known, in words.</summary>
    public IEnumerable<string> Describe()
    {
        var name = TableNames.Of(Table);
        if (_tooLong != int.MaxValue)
        {
            yield return $"answers at most {Math.Max(_longestGood, 1)} {name} at once ({_tooLong} were refused)";
        }

        if (RefusesGaps)
        {
            yield return $"{name} between those that the profile names are refused";
        }

        foreach (var span in _spans)
        {
            if (span.IsIsolated)
            {
                var how = span.IsDropped ? "refused (illegal address), asked again once an hour" : span.IsRefused ? "refused (illegal address), asked alone" : "without an answer, asked alone";
                yield return $"{name} {Range(span.Window)} {how}{(span.HasWorked ? "; answered before" : "")}";
            }
        }

        foreach (var refusal in _refusals)
        {
            if (_proven.Missing(refusal.Window) is not { } missing || (RefusesGaps && IsGap(refusal.Window)))
            {
                continue;
            }

            // One joint: the addresses on both sides of it. More: what lies between them is nobody's, or not yet known better.
            yield return missing.Length == 1
                ? $"{name} {missing.First - 1} and {missing.First} are refused in one request, read apart"
                : $"{name} {Range(new(missing.First, missing.End - 1))} refused when read over, left out";
        }
    }

    private static string Range(AddressWindow window) => window.Length == 1 ? $"{window.First}" : $"{window.First}-{window.End - 1}";

    private static long ProbePause(int count) => Math.Min(FirstProbe << Math.Clamp(count - 1, 0, 10), LongestProbe);

    /// <summary>The smallest window that a request joining two neighbours contains.</summary>
    internal static AddressWindow Cut(AddressWindow left, AddressWindow right) =>
        right.First >= left.End ? new(left.End - 1, right.First + 1) : new(left.First, right.End);

    private static AddressWindow Joints(AddressWindow left, AddressWindow right) =>
        right.First >= left.End ? new(left.End, right.First + 1) : new(right.First, left.End + 1);

    /// <summary>Divides a refused window where that tells most: in the middle of the gaps, then of the other joints, that never proved good.</summary>
    private void Divide(IReadOnlyList<AddressWindow> run, AddressWindow refused, List<AddressWindow> forbidden)
    {
        if (run.Count < 2 || run[0].First > refused.First || run[^1].End < refused.End)
        {
            return;
        }

        var (hasGap, count) = (false, 0);
        _unproven.Clear();
        for (var m = 0; m + 1 < run.Count; m++)
        {
            var (left, right) = (run[m], run[m + 1]);
            if (left.End <= refused.First || right.First >= refused.End || _proven.ContainsJoints(Joints(left, right)))
            {
                continue;
            }

            count++;
            var isGap = right.First > left.End;
            if (isGap && !hasGap)
            {
                _unproven.Clear();
                hasGap = true;
            }

            if (isGap || !hasGap)
            {
                _unproven.Add(m);
            }
        }

        if (_unproven.Count == 0)
        {
            return;
        }

        var at = _unproven[_unproven.Count / 2];
        var pair = new AddressWindow(run[at].First, run[at + 1].End);
        if (count == 1 && refused.Length > _longestGood && !pair.Contains(refused))
        {
            // All other joints are proven: it is this one, or the length. The two spans at the joint, alone, tell which.
            if (at > 0)
            {
                forbidden.Add(Cut(run[at - 1], run[at]));
            }

            if (at + 2 < run.Count)
            {
                forbidden.Add(Cut(run[at + 1], run[at + 2]));
            }

            return;
        }

        forbidden.Add(Cut(run[at], run[at + 1]));
    }

    // Spans that are asked alone are nobody's bridge; a profile that does not allow gaps allows no others either.
    private void ForbidAddresses(Refusal? except, List<AddressWindow> forbidden)
    {
        _healthy.Clear();
        foreach (var span in _spans)
        {
            // Two points that share the registers of a third are not read together when that one is refused.
            (span.IsIsolated ? forbidden : _healthy).Add(span.Window);
        }

        foreach (var window in _named)
        {
            if (!IsIsolated(window))
            {
                _healthy.Add(window);
            }
        }

        _healthy.Sort();
        if (!_mayReadGaps || RefusesGaps)
        {
            AddressWindow.ForbidOutside(_healthy, forbidden);

            // What is tried again may reach across its gap.
            if (_mayReadGaps && except is not null)
            {
                for (var i = forbidden.Count - 1; i >= 0; i--)
                {
                    if (except.Window.Contains(forbidden[i]))
                    {
                        forbidden.RemoveAt(i);
                    }
                }
            }

            return;
        }

        foreach (var span in _spans)
        {
            if (!span.IsIsolated)
            {
                continue;
            }

            var at = span.Window.First;
            foreach (var window in _healthy)
            {
                if (window.First > at)
                {
                    break;
                }

                at = Math.Max(at, window.End);
            }

            if (at < span.Window.End)
            {
                forbidden.Add(new(at, at + 1));
            }
        }
    }

    private bool IsIsolated(AddressWindow window)
    {
        foreach (var span in _spans)
        {
            if (span.IsIsolated && window.First < span.Window.End && span.Window.First < window.End)
            {
                return true;
            }
        }

        return false;
    }

    private Instead BadSpan(SpanState span, ReadOutcome outcome, long now, long answers)
    {
        var isRefusal = outcome is ReadOutcome.IllegalAddress or ReadOutcome.IllegalQuantity;
        if (span.HasWorked ? !isRefusal : !isRefusal && span.IsRefused)
        {
            return Instead.Nothing;
        }

        if ((span.HasWorked || !isRefusal) && !span.IsIsolated
            && !HasStruckOut(span.Window, outcome, answers, span.HasWorked ? RefusalsUntilDoubted : SilencesUntilRefused))
        {
            return Instead.Nothing;
        }

        _isolated += span.IsIsolated ? 0 : 1;
        span.Refused(now, isRefusal);
        _refusals.RemoveAll(r => r.Window.Contains(span.Window));
        Changed();
        return Instead.Pieces;
    }

    private bool IsKnown(AddressWindow window)
    {
        foreach (var refusal in _refusals)
        {
            if (window.Contains(refusal.Window))
            {
                return true;
            }
        }

        return false;
    }

    private bool HaveWorked(IReadOnlyList<AddressWindow> run)
    {
        foreach (var window in run)
        {
            if (!Find(window).HasWorked)
            {
                return false;
            }
        }

        return true;
    }

    private bool HasStruckOut(AddressWindow window, ReadOutcome outcome, long answers, int needed)
    {
        var strike = _strikes.GetValueOrDefault(window);
        if (outcome == ReadOutcome.Unanswered && answers <= strike.Answers)
        {
            // Nothing has come from the device since: it is absent, which says nothing about the request.
            return false;
        }

        strike = new(strike.Count + 1, answers);
        if (strike.Count >= needed)
        {
            _strikes.Remove(window);
            return true;
        }

        if (_strikes.Count >= MostStrikes)
        {
            _strikes.Clear();
        }

        _strikes[window] = strike;
        return false;
    }

    private void Refuse(AddressWindow window, ReadOutcome outcome, long now)
    {
        var isKnown = false;
        foreach (var refusal in _refusals)
        {
            if (window.Contains(refusal.Window))
            {
                // Tried again and refused again.
                refusal.Count++;
                refusal.NextProbe = now + ProbePause(refusal.Count);
                isKnown = true;
            }
        }

        if (!isKnown)
        {
            var isSize = outcome is ReadOutcome.IllegalQuantity or ReadOutcome.ShortReply;
            if (window.Length > _longestGood && (isSize || _proven.Contains(window)))
            {
                TooLong(window.Length, now);
            }
            else
            {
                _refusals.RemoveAll(r => r.Window.Contains(window));
                _refusals.Add(new(window) { Count = 1, NextProbe = now + ProbePause(1) });
            }
        }

        Settle(now);
        Changed();
    }

    private void TooLong(int length, long now)
    {
        _tooLong = length;
        _tooLongCount++;
        Limit = Math.Clamp((_longestGood + length) / 2, 1, Math.Max(length - 1, 1));
        _nextLimitProbe = now + ProbePause(_tooLongCount);
        _refusals.RemoveAll(r => r.Window.Length >= length);
    }

    /// <summary>Narrows what was refused to what can be the cause.</summary>
    private void Settle(long now)
    {
        for (var i = _refusals.Count - 1; i >= 0; i--)
        {
            var refusal = _refusals[i];
            var missing = _proven.Missing(refusal.Window);
            if (missing is null)
            {
                _refusals.RemoveAt(i);
                if (refusal.Window.Length > _longestGood && refusal.Window.Length <= Limit)
                {
                    TooLong(refusal.Window.Length, now);
                    i = _refusals.Count;
                }
            }
            else if (refusal.Window.Length <= _longestGood)
            {
                refusal.Window = new(missing.Value.First - 1, missing.Value.End);
            }
        }

        _gapsRefused = 0;
        foreach (var refusal in _refusals)
        {
            _gapsRefused += IsGap(refusal.Window) ? 1 : 0;
        }

        if (RefusesGaps && _hasReadGap)
        {
            (RefusesGaps, _nextGapProbe) = (false, long.MaxValue);
        }
        else if (!RefusesGaps && !_hasReadGap && _mayReadGaps && _gapsRefused >= _gapsNeeded)
        {
            RefusesGaps = true;
            _nextGapProbe = now + ProbePause(++_gapRuleCount);
        }

        // The rule explains what has gaps in it and is not yet divided.
        for (var i = _refusals.Count - 1; i >= 0 && RefusesGaps; i--)
        {
            if (HasGap(_refusals[i].Window) && !IsGap(_refusals[i].Window))
            {
                _refusals.RemoveAt(i);
            }
        }

        // Only the smallest windows are kept: at most one for each address at which a span begins or ends.
        for (var i = _refusals.Count - 1; i >= 0; i--)
        {
            for (var j = 0; j < _refusals.Count; j++)
            {
                if (i != j && _refusals[i].Window.Contains(_refusals[j].Window))
                {
                    _refusals.RemoveAt(i);
                    break;
                }
            }
        }
    }

    private bool HasGap(AddressWindow window) => NamedRun(window.First).End < window.End;

    /// <summary>Whether nothing but one gap between two registers that have worked can be the cause of a refusal.</summary>
    private bool IsGap(AddressWindow window)
    {
        var (left, right) = (NamedRun(window.First), NamedRun(window.End - 1));
        if (left.End >= right.First || _proven.Missing(window) is not { } missing || missing.First < left.End || missing.End > right.First + 1)
        {
            return false;
        }

        var next = FirstFrom(left.End);
        return next < _spans.Length && _spans[next].Window.First >= right.First && HasWorked(left.End - 1) && HasWorked(right.First);
    }

    private bool HasWorked(int address)
    {
        foreach (var span in _spans)
        {
            if (span.HasWorked && span.Window.First <= address && address < span.Window.End)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The stretch of named addresses around an address, or the address alone.</summary>
    private AddressWindow NamedRun(int address)
    {
        foreach (var run in _namedRuns)
        {
            if (run.First <= address && address < run.End)
            {
                return run;
            }
        }

        return new(address, address + 1);
    }

    private void Changed()
    {
        Version++;
        SetNextProbe();
    }

    private void SetNextProbe()
    {
        NextProbe = _nextLimitProbe;
        foreach (var refusal in _refusals)
        {
            NextProbe = Math.Min(NextProbe, refusal.NextProbe);
        }
    }

    private int FirstFrom(int address)
    {
        var (low, high) = (0, _spans.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _spans[middle].Window.First < address ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private readonly record struct Strike(int Count, long Answers);

    /// <summary>A window that was refused.</summary>
    internal sealed class Refusal(AddressWindow window)
    {
        public AddressWindow Window { get; set; } = window;

        public int Count { get; set; }

        public long NextProbe { get; set; }

        public long LastTried { get; set; } = long.MinValue;
    }

    /// <summary>What is known of one span.</summary>
    internal sealed class SpanState(AddressWindow window)
    {
        private int _refusals;
        private long _firstRefusal;

        public AddressWindow Window { get; } = window;

        /// <summary>It came at least once.</summary>
        public bool HasWorked { get; private set; }

        /// <summary>It is asked alone, and less often.</summary>
        public bool IsIsolated { get; private set; }

        /// <summary>The device refused it; otherwise it did not answer.</summary>
        public bool IsRefused { get; private set; }

        /// <summary>It never came and was refused often enough and for long enough.</summary>
        public bool IsDropped { get; private set; }

        /// <summary>When it is asked again.</summary>
        public long NextAsk { get; private set; }

        public void Answered()
        {
            HasWorked = true;
            (IsIsolated, IsRefused, IsDropped) = (false, false, false);
            (_refusals, NextAsk) = (0, 0);
        }

        /// <summary>The time until it is dropped begins again.</summary>
        public void Recall(long now, bool askNow)
        {
            _firstRefusal = now;
            NextAsk = askNow ? now : Math.Min(NextAsk, now + LongestPause);
            IsDropped = false;
        }

        public void Refused(long now, bool isRefusal)
        {
            IsIsolated = true;
            IsRefused = isRefusal;
            if (isRefusal)
            {
                _firstRefusal = _refusals == 0 ? now : _firstRefusal;
                _refusals++;
            }

            IsDropped = !HasWorked && _refusals >= RefusalsUntilDropped && now - _firstRefusal >= TimeUntilDropped;
            NextAsk = now + (IsDropped ? DroppedPause : Math.Min(FirstPause << Math.Clamp(_refusals - 1, 0, 10), LongestPause));
        }
    }
}

/// <summary>What can be asked at once instead of a request that was refused.</summary>
internal enum Instead : byte
{
    Nothing,

    /// <summary>What the map now allows.</summary>
    Pieces,

    /// <summary>The two halves: it may be a mistake, and no value should be lost to it.</summary>
    Halves,
}
