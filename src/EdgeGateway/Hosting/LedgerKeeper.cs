using System.Globalization;
using System.Reflection;
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
    private readonly LedgerChain _chain;
    private LedgerInForce _inForce;
    private LedgerInForce _packed;
    private long _records;

    /// <summary>Goes on with the ledger of a store, or begins one; what there is to say of that goes with the first commit of <paramref name="path"/>.</summary>
    /// <exception cref="StoreException">The ledger or the device key cannot be read.</exception>
    public LedgerKeeper(SqliteStore store, SiteModel site, LocalPath path)
    {
        (_store, _gateway) = (store, site.GatewayId);
        _key = LedgerKeyFile.LoadOrMake(site.Storage.Directory, out var keyProblem);
        var recovered = store.RecoverLedger();
        var state = recovered.State;
        _inForce = _packed = state?.InForce ?? LedgerInForce.None;
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
        _records = _chain.Next - 1;
        var next = encoder.Next(FeedStream.Emission);
        if (recovered.Damage is { } damage)
        {
            path.Ledger.Enter(new GapContent($"The store was damaged: {damage}.", 0, 0, 0));
        }

        if (state is null ? next > 1 : state.EmissionEpoch == encoder.Epoch && state.EmissionNext != next)
        {
            path.Ledger.Enter(new GapContent(
                state is null ? "These entries were made before there was a ledger." : "These entries were made by a program that keeps no ledger.", encoder.Epoch, state?.EmissionNext ?? 1, next - 1));
        }
        else if (state is not null && state.EmissionEpoch != encoder.Epoch)
        {
            path.Ledger.Enter(new GapContent(string.Create(CultureInfo.InvariantCulture, $"The store was lost or salvaged, and a new epoch began: entries of epoch {state.EmissionEpoch} after number {state.EmissionNext - 1} may be missing."), 0, 0, 0));
        }
    }

    /// <summary>Version of the program, as the ledger names it.</summary>
    public static string ProgramVersion { get; } =
        typeof(LedgerKeeper).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Records of the ledger, from any thread.</summary>
    public long Records => Interlocked.Read(ref _records);

    /// <summary>Hash of the set by which history is stated, when it is another than the one in force: a restatement is due.</summary>
    public string? RestatementFrom => _inForce.StatedBy.Length > 0 && _inForce.StatedBy != _inForce.FactorSet ? _inForce.StatedBy : null;

    /// <summary>Enters configuration and factor set when they are others than before.</summary>
    public void Announce(LocalPath path)
    {
        var site = path.Site;
        var factors = site.FactorsInForce;
        if (_inForce.FactorSet != factors.ContentHash)
        {
            path.Ledger.Enter(LedgerSite.Factors(factors));
        }

        if (_inForce.FactorSet != factors.ContentHash || _inForce.Configuration != site.ConfigurationHash || _inForce.Program != ProgramVersion)
        {
            path.Ledger.Enter(LedgerSite.Configuration(site, path.Pipeline.CarbonAccounts, ProgramVersion));
        }

        _inForce = _inForce with
        {
            Configuration = site.ConfigurationHash,
            Program = ProgramVersion,
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
        _chain.SealIfDue(now);
        var hasSealed = _chain.Next > before;
        foreach (var content in path.Ledger.Take())
        {
            _chain.Append(now, content);
        }

        if (hasSealed)
        {
            Close(path, now, commit);
        }

        Interlocked.Exchange(ref _records, _chain.Next - 1);
        var rows = _chain.TakeRows();
        if (rows.Count > 0 || _inForce != _packed)
        {
            commit.LedgerRows.AddRange(rows);
            commit.LedgerState = new(_chain.Next, _chain.Head, path.Encoder.Epoch, path.Encoder.Next(FeedStream.Emission), _inForce);
            _packed = _inForce;
        }
    }

    /// <summary>Closes the days whose years are over, or for which there is no room: a signed record says by which link they ended, and what was in force is entered again.</summary>
    private void Close(LocalPath path, Instant now, CommitBatch commit)
    {
        var years = path.Site.Storage.LedgerYears;
        if (_store.FindExpiredLedger(Instant.From(now.ToDateTimeOffset().AddYears(-years))) is not { } expiry)
        {
            return;
        }

        _chain.Append(now, new ClosingContent(_gateway, expiry.Through, expiry.Head, expiry.IsForRoom
            ? "the ledger had grown to half of the storage budget; raise storage.budget to keep more"
            : string.Create(CultureInfo.InvariantCulture, $"their {years} years are over")));
        commit.LedgerRemovedThrough = Math.Max(commit.LedgerRemovedThrough, expiry.Through);
        _chain.Append(now, LedgerSite.Factors(path.Site.FactorsInForce));
        _chain.Append(now, LedgerSite.Configuration(path.Site, path.Pipeline.CarbonAccounts, ProgramVersion));
    }
}
