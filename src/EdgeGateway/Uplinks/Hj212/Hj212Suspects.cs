namespace EdgeGateway.Uplinks.Hj212;

/// <summary>
/// Parcels that the platform did not take. They stand aside, so that what is behind them leaves. That a parcel is at fault, and not the platform or the link, is proved by another
/// of the same command that was acknowledged on the same connection; what is proved so three times is set aside for good. A platform that takes nothing proves nothing.
/// </summary>
internal sealed class Hj212Suspects
{
    /// <summary>A parcel that failed again this often, each time after others of its command were taken, is never taken.</summary>
    public const int MaxProven = 3;

    /// <summary>Most that stand aside. When there are more it is the platform that is at fault, and nothing new is tried.</summary>
    public const int Most = 16;

    /// <summary>Least time between two tries for which nothing speaks.</summary>
    public static readonly TimeSpan BlindPause = TimeSpan.FromMinutes(1);

    /// <summary>Least time before a second try; before each further one it is twice as long.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly List<Suspect> _suspects = [];

    // Packets acknowledged on this connection, by command.
    private readonly Dictionary<string, long> _taken = [];
    private Suspect? _doubt;

    /// <summary>How many stand aside.</summary>
    public int Count => _suspects.Count;

    /// <summary>Whether no other may be tried.</summary>
    public bool IsFull => _suspects.Count >= Most;

    /// <summary>A connection begins: what the one before has shown of the platform is worth nothing here.</summary>
    public void Begin()
    {
        _taken.Clear();
        _doubt = null;
        foreach (var suspect in _suspects)
        {
            (suspect.Seen, suspect.NotBlindBefore) = (0, TimeSpan.MinValue);
        }
    }

    /// <summary>Whether anything was acknowledged on this connection.</summary>
    public bool HasTaken => _taken.Count > 0;

    /// <summary>Whether one waits for another of its command to be acknowledged: then it was not the link.</summary>
    public bool IsDoubting => _doubt is not null;

    /// <summary>Whether packets of a command were acknowledged on this connection.</summary>
    public bool IsTaking(string command) => _taken.ContainsKey(command);

    /// <summary>One that is to be tried now: another of its command was taken since its last try.</summary>
    /// <param name="now">Monotonic time.</param>
    public Hj212Parcel? Next(TimeSpan now) => _suspects.Find(s => s != _doubt && s.NotBefore <= now && _taken.GetValueOrDefault(s.Command) > s.Seen)?.Parcel;

    /// <summary>One that may be tried when there is nothing else to send: once on each connection, and then after a pause.</summary>
    /// <param name="now">Monotonic time.</param>
    public Hj212Parcel? Blind(TimeSpan now) => _suspects.Find(s => s != _doubt && s.NotBlindBefore <= now)?.Parcel;

    /// <summary>A packet of a command was acknowledged.</summary>
    /// <returns>What is never taken, as this has proved; otherwise null.</returns>
    public Hj212Parcel? Taken(string command)
    {
        _taken[command] = _taken.GetValueOrDefault(command) + 1;
        if (_doubt is not { } doubt || doubt.Command != command)
        {
            return null;
        }

        _doubt = null;
        return Proved(doubt);
    }

    /// <summary>A packet of a parcel was refused, or the connection ended at it.</summary>
    /// <param name="parcel">The parcel, that stands aside from now on.</param>
    /// <param name="command">Command of the packet.</param>
    /// <param name="now">Monotonic time.</param>
    /// <returns>The parcel when it is never taken, as this has proved; otherwise null.</returns>
    public Hj212Parcel? Failed(Hj212Parcel parcel, string command, TimeSpan now)
    {
        // Only what was taken since its last try is proof: a platform that took this command in the morning may take nothing now.
        var known = _suspects.Find(s => s.Parcel == parcel);
        var isProof = known is not null && known.Command == command && _taken.GetValueOrDefault(command) > known.Seen;
        var suspect = Note(parcel, command, now);
        return isProof ? Proved(suspect) : null;
    }

    /// <summary>No answer came to a packet of a parcel. If the next of its command has one, it was not the link.</summary>
    public void Unanswered(Hj212Parcel parcel, string command, TimeSpan now) => _doubt = Note(parcel, command, now);

    /// <summary>A parcel needs no more care.</summary>
    public void Settled(Hj212Parcel parcel)
    {
        _suspects.RemoveAll(s => s.Parcel == parcel);
        _doubt = _doubt?.Parcel == parcel ? null : _doubt;
    }

    private Suspect Note(Hj212Parcel parcel, string command, TimeSpan now)
    {
        var suspect = _suspects.Find(s => s.Parcel == parcel);

        // Behind all others: the next connection begins with another one, and what it takes tells which of them is at fault.
        _suspects.Remove(suspect ??= new(parcel));
        _suspects.Add(suspect);

        (suspect.Command, suspect.Seen) = (command, _taken.GetValueOrDefault(command));
        (suspect.NotBefore, suspect.NotBlindBefore) = (now + (FirstPause * (1 << suspect.Proven)), now + BlindPause);
        return suspect;
    }

    private static Hj212Parcel? Proved(Suspect suspect) => ++suspect.Proven >= MaxProven ? suspect.Parcel : null;

    private sealed class Suspect(Hj212Parcel parcel)
    {
        public Hj212Parcel Parcel => parcel;

        public string Command { get; set; } = "";

        public int Proven { get; set; }

        // Packets of the command that were taken before its last try.
        public long Seen { get; set; }

        public TimeSpan NotBefore { get; set; }

        public TimeSpan NotBlindBefore { get; set; }
    }
}
