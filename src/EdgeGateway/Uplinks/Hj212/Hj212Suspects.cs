namespace EdgeGateway.Uplinks.Hj212;

/// <summary>
/// Parcels that the platform did not take. They stand aside, so that what is behind them leaves. That a parcel is at fault, and not the platform or the link, is proved by another
/// of the same command that was acknowledged on the same connection; what is proved so three times is set aside for good. A platform that takes nothing proves nothing, and that a
/// connection ends proves nothing either, unless it ends at the first packet, again and again at this parcel and nowhere else.
/// </summary>
internal sealed class Hj212Suspects
{
    /// <summary>A parcel that failed again this often, each time after others of its command were taken, is never taken.</summary>
    public const int MaxProven = 3;

    /// <summary>Most of one command that stand aside; a command that the platform does not take has no part in the places of the others.</summary>
    public const int Most = 16;

    /// <summary>Least time between two tries for which nothing speaks. While nothing of the command is taken it is doubled from try to try.</summary>
    public static readonly TimeSpan BlindPause = TimeSpan.FromMinutes(1);

    /// <summary>A command is tried again after this time at the latest, whatever else there is to send; so is a parcel that waits for another of its command to be acknowledged.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>Least time before a second try; before each further one it is twice as long.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly List<Suspect> _suspects = [];

    // Packets acknowledged on this connection, by command.
    private readonly Dictionary<string, long> _taken = [];

    // Commands of which nothing is taken: when one of their parcels may be tried, and the pause after that.
    private readonly Dictionary<string, (TimeSpan NotBefore, TimeSpan Pause)> _probes = [];
    private Suspect? _doubt;
    private bool _hasSent;

    /// <summary>How many stand aside.</summary>
    public int Count => _suspects.Count;

    /// <summary>Whether no other of a command may stand aside.</summary>
    public bool IsFull(string command) => _suspects.Count(s => s.Command == command) >= Most;

    /// <summary>Whether a parcel stands aside.</summary>
    public bool Contains(Hj212Parcel parcel) => _suspects.Exists(s => s.Parcel == parcel);

    /// <summary>A connection begins: what the one before has shown of the platform is worth nothing here.</summary>
    public void Begin()
    {
        _taken.Clear();
        _probes.Clear();
        (_doubt, _hasSent, IsDoubting) = (null, false, false);
        foreach (var suspect in _suspects)
        {
            (suspect.Seen, suspect.NotBlindBefore) = (0, TimeSpan.MinValue);
        }
    }

    /// <summary>Whether anything was acknowledged on this connection.</summary>
    public bool HasTaken => _taken.Count > 0;

    /// <summary>Whether nothing was acknowledged since a packet had no answer: a second one without tells that it is the link.</summary>
    public bool IsDoubting { get; private set; }

    /// <summary>Whether packets of a command were acknowledged on this connection.</summary>
    public bool IsTaking(string command) => _taken.ContainsKey(command);

    /// <summary>
    /// One that is to be tried now, before what is new: another of its command was taken since its last try, it has waited longest, or a connection ended at it and this one has sent
    /// nothing yet.
    /// </summary>
    /// <param name="now">Monotonic time.</param>
    public Hj212Parcel? Next(TimeSpan now) =>
        (_suspects.Find(s => !_hasSent && s.GoesFirst)
        ?? _suspects.Find(s => s != _doubt && s.NotBefore <= now && _taken.GetValueOrDefault(s.Command) > s.Seen)
        ?? _suspects.Find(s => s.Tried + LongestPause <= now && MayProbe(s, now)))?.Parcel;

    /// <summary>One that may be tried when there is nothing else to send: once on each connection, and then after a pause.</summary>
    /// <param name="now">Monotonic time.</param>
    public Hj212Parcel? Blind(TimeSpan now) => _suspects.Find(s => s != _doubt && s.NotBlindBefore <= now && MayProbe(s, now))?.Parcel;

    /// <summary>When the last of those that stand aside was tried so long ago that it goes before all else: the end of its wait at the latest. Null when none stands aside.</summary>
    public TimeSpan? Latest => _suspects.Count == 0 ? null : _suspects.Min(s => s.Tried) + LongestPause;

    /// <summary>A packet of a parcel was acknowledged.</summary>
    /// <param name="parcel">The parcel: what it shows of itself is no proof against it.</param>
    /// <param name="command">Command of the packet.</param>
    /// <returns>What is never taken, as this has proved; otherwise null.</returns>
    public Hj212Parcel? Taken(Hj212Parcel parcel, string command)
    {
        (_hasSent, IsDoubting) = (true, false);
        _probes.Remove(command);
        _taken[command] = _taken.GetValueOrDefault(command) + 1;
        foreach (var suspect in _suspects)
        {
            if (suspect.Parcel == parcel)
            {
                suspect.Own++;
            }
            else if (suspect.Command == command)
            {
                suspect.HasWitness = true;
            }
        }

        if (_doubt is not { } doubt || doubt.Command != command || doubt.Parcel == parcel)
        {
            return null;
        }

        _doubt = null;
        return Proved(doubt);
    }

    /// <summary>A packet of a parcel was refused.</summary>
    /// <param name="parcel">The parcel, that stands aside from now on.</param>
    /// <param name="command">Command of the packet.</param>
    /// <param name="now">Monotonic time.</param>
    /// <returns>The parcel when it is never taken, as this has proved; otherwise null.</returns>
    public Hj212Parcel? Failed(Hj212Parcel parcel, string command, TimeSpan now)
    {
        // Only what others took since its last try is proof: a platform that took this command in the morning may take nothing now.
        var known = _suspects.Find(s => s.Parcel == parcel);
        var isProof = known is not null && known.Command == command && _taken.GetValueOrDefault(command) - known.Own > known.Seen;
        var suspect = Note(parcel, command, now);
        return isProof ? Proved(suspect) : null;
    }

    /// <summary>
    /// The connection ended at a packet of a parcel, or while nothing was under way. Peers and links end connections for many reasons: it counts only when the parcel went first on its
    /// connection, others of its command were taken on the one before, and none ended elsewhere in between.
    /// </summary>
    /// <param name="parcel">The parcel, that stands aside from now on; null when nothing was under way.</param>
    /// <param name="command">Command of the packet.</param>
    /// <param name="now">Monotonic time.</param>
    /// <returns>The parcel when it is never taken, as this has proved; otherwise null.</returns>
    public Hj212Parcel? Closed(Hj212Parcel? parcel, string command, TimeSpan now)
    {
        var known = _suspects.Find(s => s.Parcel == parcel);
        foreach (var other in _suspects)
        {
            if (other.Parcel != parcel)
            {
                // The end at a parcel that stands aside already says nothing of the others: two at which a platform hangs up would clear each other for ever.
                (other.Ended, other.GoesFirst) = (known is null ? 0 : other.Ended, false);
            }
        }

        if (parcel is null)
        {
            return null;
        }

        var isFirst = !_hasSent;
        var counts = known is { GoesFirst: true, HasWitness: true } && isFirst && known.Command == command;
        var suspect = Note(parcel, command, now);
        suspect.GoesFirst = !isFirst;
        suspect.HasWitness = suspect.HasWitness && !counts;
        return counts && ++suspect.Ended >= MaxProven ? suspect.Parcel : null;
    }

    /// <summary>No answer came to a packet of a parcel. If the next of its command has one, it was not the link.</summary>
    /// <param name="parcel">The parcel, that stands aside from now on.</param>
    /// <param name="command">Command of the packet.</param>
    /// <param name="now">Monotonic time.</param>
    public void Unanswered(Hj212Parcel parcel, string command, TimeSpan now)
    {
        _doubt = Note(parcel, command, now);
        IsDoubting = true;
    }

    /// <summary>A parcel needs no more care.</summary>
    public void Settled(Hj212Parcel parcel)
    {
        _suspects.RemoveAll(s => s.Parcel == parcel);
        _doubt = _doubt?.Parcel == parcel ? null : _doubt;
    }

    private bool MayProbe(Suspect suspect, TimeSpan now) => IsTaking(suspect.Command) || !_probes.TryGetValue(suspect.Command, out var probe) || probe.NotBefore <= now;

    private Suspect Note(Hj212Parcel parcel, string command, TimeSpan now)
    {
        var suspect = _suspects.Find(s => s.Parcel == parcel);
        if (suspect is not null && !IsTaking(command))
        {
            // The platform takes nothing of the command: one try tells as much as one with each of them.
            var pause = _probes.TryGetValue(command, out var probe) ? probe.Pause : BlindPause;
            _probes[command] = (now + pause, pause * 2 < LongestPause ? pause * 2 : LongestPause);
        }

        // Behind all others: the next connection begins with another one, and what it takes tells which of them is at fault.
        _suspects.Remove(suspect ??= new(parcel));
        _suspects.Add(suspect);

        _hasSent = true;
        (suspect.Command, suspect.Seen, suspect.Own, suspect.Tried, suspect.GoesFirst) = (command, _taken.GetValueOrDefault(command), 0, now, false);
        (suspect.NotBefore, suspect.NotBlindBefore) = (now + (FirstPause * (1 << suspect.Proven)), now + BlindPause);
        return suspect;
    }

    private static Hj212Parcel? Proved(Suspect suspect) => ++suspect.Proven >= MaxProven ? suspect.Parcel : null;

    private sealed class Suspect(Hj212Parcel parcel)
    {
        public Hj212Parcel Parcel => parcel;

        public string Command { get; set; } = "";

        public int Proven { get; set; }

        // Packets of the command that were taken before its last try, and its own since.
        public long Seen { get; set; }

        public long Own { get; set; }

        public TimeSpan Tried { get; set; }

        // A connection ended at it: it goes first on the next one, and so often that one ended there.
        public bool GoesFirst { get; set; }

        public int Ended { get; set; }

        public bool HasWitness { get; set; }

        public TimeSpan NotBefore { get; set; }

        public TimeSpan NotBlindBefore { get; set; }
    }
}
