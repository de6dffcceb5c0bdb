using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>Keeps the ledger of the running gateway: goes on where the store left it, enters what comes into force, and puts what the path has for it into each commit.</summary>
internal sealed class LedgerKeeper
{
    private readonly SqliteStore _store;
    private readonly DeviceKey _key;
    private readonly string _gateway;
    private readonly string _directory;
    private readonly Func<Instant, LedgerExpiry?> _findExpired;
    private readonly LedgerChain _chain;
    private readonly List<long> _rotten = [];
    private readonly string? _programBefore;
    private LedgerInForce _inForce;
    private LedgerInForce _packed;
    private bool _isClosingDue;
    private SealContent? _lastSeal;
    private Instant? _lastAt;
    private string? _problem;
    private string? _notClosed;
    private volatile LedgerProgress _progress;

    /// <summary>Goes on with the ledger of a store, or begins one; what there is to say of that goes with the first commit of <paramref name="path"/>.</summary>
    /// <param name="store">The store.</param>
    /// <param name="site">The site.</param>
    /// <param name="path">Takes what there is to say.</param>
    /// <param name="salvage">What the store found damaged, while that is not told yet; null otherwise.</param>
    /// <param name="findExpired">Finds the days whose time is over; null for <see cref="SqliteStore.FindExpiredLedger"/>.</param>
    /// <exception cref="StoreException">The ledger or the device key cannot be read.</exception>
    public LedgerKeeper(SqliteStore store, SiteModel site, LocalPath path, RecoveryReport? salvage, Func<Instant, LedgerExpiry?>? findExpired = null)
    {
        _findExpired = findExpired ?? store.FindExpiredLedger;
        (_store, _gateway, _directory) = (store, site.GatewayId, site.Storage.Directory);
        _key = LedgerKeyFile.LoadOrMake(site.Storage.Directory, out var keyProblem);
        var recovered = store.RecoverLedger();
        var state = recovered.State;
        _inForce = _packed = state?.InForce ?? LedgerInForce.None;
        _programBefore = state?.InForce.Program;
        (_lastSeal, _lastAt) = (recovered.LastSeal, recovered.LastAt);
        _rotten.AddRange(recovered.Rotten);
        _problem = recovered.Damage ?? (recovered.RottenTold.Count > 0 ? SqliteStore.RottenFrom(recovered.RottenTold) : null);
        _chain = new LedgerChain(_gateway, _key, state is null ? LedgerHead.Start : new LedgerHead(state.Next, state.Head), recovered.Open);
        var encoder = path.Encoder;
        if (state is null)
        {
            path.Ledger.Enter(new OpeningContent(_gateway, _key.PublicKey));
        }
        else if (_inForce.PublicKey != _key.PublicKey)
        {
            path.Ledger.Enter(new KeyContent(_key.PublicKey, keyProblem ?? "the device key was not there any more and was made anew"));
        }

        _inForce = _inForce with { PublicKey = _key.PublicKey };
        var next = encoder.Next(FeedStream.Emission);
        if (recovered.Damage is { } damage)
        {
            path.Ledger.Enter(new GapContent($"The store was damaged: {damage}.", 0, 0, 0));
        }

        _progress = new(_chain.Next - 1, _lastAt, _lastSeal?.Day, _lastSeal?.Last ?? 0, DeviceKey.Fingerprint(_key.PublicKey), _problem);
        if (state is null && salvage is not null)
        {
            // Which records there were is not known any more; which entries the feed had is.
            var head = salvage.HeadsBefore.FirstOrDefault(h => h.Stream == FeedStream.Emission);
            var isKnown = head.Next > 1;
            path.Ledger.Enter(new GapContent(
                $"{GapContent.Anew} The store was damaged ({salvage.Cause}), and of the ledger before nothing could be read. What is left of the store is kept beside it as {salvage.SetAside}; what was exported of the ledger before ends somewhere before this record, and nothing proves what came between.",
                isKnown ? head.Epoch : 0, isKnown ? 1 : 0, isKnown ? head.Next - 1 : 0));
        }
        else if (state is null ? next > 1 : state.EmissionEpoch == encoder.Epoch && state.EmissionNext != next)
        {
            path.Ledger.Enter(new GapContent(
                state is null ? "These entries were made before there was a ledger." : "These entries were made by a program that keeps no ledger.", encoder.Epoch, state?.EmissionNext ?? 1, next - 1));
        }
        else if (state is not null && state.EmissionEpoch != encoder.Epoch)
        {
            path.Ledger.Enter(new GapContent(string.Create(CultureInfo.InvariantCulture, $"The store was lost or salvaged, and a new epoch began: entries of epoch {state.EmissionEpoch} after number {state.EmissionNext - 1} may be missing."), 0, 0, 0));
        }
    }

    /// <summary>True when another version of the program made the last commit, or one that kept no ledger.</summary>
    public static bool IsUpgrade(SqliteStore store) => store.RecoverLedger().State?.InForce.Program != ProgramVersion.Text;

    /// <summary>True until the first checkpoint of an upgrade: what the version before committed is read again by this one.</summary>
    public bool IsUnsettled { get; set; }

    /// <summary>How the ledger stands, as committed; from any thread.</summary>
    public LedgerProgress Progress => _progress;

    /// <summary>What is in the ledger of balances and instruments: after a salvage it goes before a state that knows less.</summary>
    public EnteredBefore ReadEntered()
    {
        var (entered, records) = (new EnteredBefore(), 0L);
        try
        {
            foreach (var line in Ledgers.LedgerSource.Open(_directory).Lines())
            {
                records++;
                if (EnteredBefore.Concerns(line))
                {
                    entered.Take((EmissionContent)line.Record.Content);
                }
            }

            entered.IsWhole = records == _chain.Next - 1;
        }
        catch (Exception e) when (e is InvalidDataException or StoreException)
        {
            // What was read before it counts; the status names the damage.
            _problem ??= e.Message;
        }

        return entered;
    }

    /// <summary>Hash of the set by which history is stated, when it is another than the one in force: a restatement is due.</summary>
    public string? RestatementFrom => _inForce.StatedBy.Length > 0 && _inForce.StatedBy != _inForce.FactorSet ? _inForce.StatedBy : null;

    /// <summary>Tells feed and ledger of factors that were learnt for what an account was before: the official ones are in force again.</summary>
    public static void TellForgotten(LocalPath path, Instant now)
    {
        foreach (var (device, method, what) in path.Pipeline.ForgottenFactors)
        {
            var by = what.ApprovedBy is { } who ? $" {who} had approved {what.ApprovedFactor!.Value.ToString(CultureInfo.InvariantCulture)} at {what.ApprovedAt}; the official factor is in force again." : "";
            var why = $"It was learnt for one {what.LearntFor}, and the account is of {what.Now} now.";
            path.Encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.FactorDecision,
                Text = $"The factor of {device} that followed the stack is forgotten. {why}{by}",
                Fields = [new("device", device), new("action", "forget"), new("method", method), new("factor", what.Factor.ToString(CultureInfo.InvariantCulture)), new("hours", what.Hours)],
            });
            path.Ledger.Enter(new DecisionContent
            {
                Device = device, Method = method, Action = "forget", At = now, Factor = what.ApprovedFactor ?? what.Factor, UncertaintyPercent = what.UncertaintyPercent, Hours = what.Hours, Reason = why + by,
            });
        }
    }

    /// <summary>Enters configuration and factor set when they are others than before.</summary>
    public void Announce(LocalPath path)
    {
        var site = path.Site;
        var factors = site.FactorsInForce;
        if (_inForce.FactorSet != factors.ContentHash)
        {
            path.Ledger.Enter(LedgerSite.Factors(factors));
        }

        if (_inForce.FactorSet != factors.ContentHash || _inForce.Configuration != site.ConfigurationHash || _inForce.Program != ProgramVersion.Text)
        {
            path.Ledger.Enter(LedgerSite.Configuration(site, path.Pipeline, ProgramVersion.Text));
        }

        _inForce = _inForce with
        {
            Configuration = site.ConfigurationHash,
            Program = ProgramVersion.Text,
            FactorSet = factors.ContentHash,
            StatedBy = _inForce.StatedBy.Length == 0 ? factors.ContentHash : _inForce.StatedBy,
        };
    }

    /// <summary>History is stated by this set from now on.</summary>
    public void Restated(string set) => _inForce = _inForce with { StatedBy = set };

    /// <summary>Appends what waits, and puts it into the commit with where the ledger stands then.</summary>
    public void Pack(LocalPath path, Instant now, CommitBatch commit)
    {
        var before = _chain.Next;
        _isClosingDue |= _chain.SealIfDue(now);
        if (_store.TakeRottenLedger() is { Count: > 0 } rotten)
        {
            _problem = SqliteStore.RottenFrom(rotten);
            path.Ledger.Enter(new GapContent($"The full check of the store found: {_problem}.", 0, 0, 0));
            _rotten.AddRange(rotten);
        }

        foreach (var content in path.Ledger.Take())
        {
            _isClosingDue |= _chain.Append(now, content);
        }

        if (_isClosingDue)
        {
            Close(path, now, commit);
        }

        _lastSeal = _chain.LastSeal ?? _lastSeal;
        _lastAt = _chain.Next > before ? now : _lastAt;

        // Gaps that say so are among the records of this commit.
        commit.LedgerRotten.AddRange(_rotten);
        _rotten.Clear();
        var rows = _chain.TakeRows();
        var inForce = IsUnsettled ? _inForce with { Program = _programBefore ?? "" } : _inForce;
        if (rows.Count > 0 || inForce != _packed)
        {
            commit.LedgerRows.AddRange(rows);
            commit.LedgerState = new(_chain.Next, _chain.Head, path.Encoder.Epoch, path.Encoder.Next(FeedStream.Emission), inForce);
            _packed = inForce;
        }
    }

    /// <summary>The commit is on the disk.</summary>
    public void Committed()
    {
        var problem = _problem ?? _notClosed;
        if (_progress.Last != _chain.Next - 1 || _progress.Problem != problem)
        {
            _progress = new(_chain.Next - 1, _lastAt, _lastSeal?.Day, _lastSeal?.Last ?? 0, _progress.Key, problem);
        }
    }

    /// <summary>Closes the days whose years are over, or for which there is no room: a signed record says by which link they ended, and what was in force is entered again.</summary>
    private void Close(LocalPath path, Instant now, CommitBatch commit)
    {
        var years = path.Site.Storage.LedgerYears;
        LedgerExpiry? found;
        try
        {
            found = _findExpired(Instant.From(now.ToDateTimeOffset().AddYears(-years)));
        }
        catch (StoreException e) when (e.CanRetry)
        {
            // Nothing depends on it now: the next commit tries again, and tells what is wrong if that lasts.
            _notClosed = $"what is to be removed after its years could not be read: {e.Message}";
            return;
        }

        (_isClosingDue, _notClosed) = (false, null);
        if (found is not { } expiry)
        {
            return;
        }

        _chain.Append(now, new ClosingContent(_gateway, expiry.Through, expiry.Head, expiry.IsForRoom
            ? "the ledger had grown to half of the storage budget; raise storage.budget to keep more"
            : string.Create(CultureInfo.InvariantCulture, $"their {years} years are over")));
        commit.LedgerRemovedThrough = Math.Max(commit.LedgerRemovedThrough, expiry.Through);
        _chain.Append(now, LedgerSite.Factors(path.Site.FactorsInForce));
        _chain.Append(now, LedgerSite.Configuration(path.Site, path.Pipeline, ProgramVersion.Text));
    }
}

/// <summary>How the ledger stands.</summary>
/// <param name="Last">Number of the last record; 0 for none.</param>
/// <param name="LastAt">When it was appended; null when that was before this start.</param>
/// <param name="SealedDay">First instant of the last day that is sealed; null for none.</param>
/// <param name="SealedThrough">Number of the last record under its seal; 0 for none.</param>
/// <param name="Key">Fingerprint of the key that signs.</param>
/// <param name="Problem">What of it is not what was written, or could not be done; null when all is well.</param>
internal sealed record LedgerProgress(long Last, Instant? LastAt, Instant? SealedDay, long SealedThrough, string Key, string? Problem);
