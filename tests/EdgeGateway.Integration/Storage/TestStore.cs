using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Ledgers;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>A store in a directory of its own, with a clock that only moves when told, and batches whose content follows from their number.</summary>
internal sealed class TestStore : IDisposable
{
    public const string Destination = "centre";
    public static readonly Guid Boot = new("0f8fad5b-d9cb-469f-a165-70867728950e");
    public static readonly DeviceKey LedgerKey = DeviceKey.Create();
    public static readonly Func<int, ulong, double> ValueOf = (_, raw) => raw / 10.0;

    private LedgerChain? _chain;

    public TestStore(string? directory = null, long budgetBytes = 16 << 20, long sampleLogBytes = 4 << 20, params string[] destinations)
    {
        Directory = directory ?? System.IO.Directory.CreateTempSubdirectory("edgegateway-store-").FullName;
        Model = new StorageModel
        {
            Directory = Directory,
            BudgetBytes = budgetBytes,
            SampleLogBytes = sampleLogBytes,
            CommitWindow = TimeSpan.FromSeconds(1),
            CheckpointInterval = TimeSpan.FromMinutes(1),
        };
        Destinations = destinations.Length > 0 ? destinations : [Destination];
        Store = SqliteStore.Open(Model, Destinations, Clock);
        try
        {
            Recovery = Store.Recover();
        }
        catch
        {
            Store.Dispose();
            throw;
        }

        Next = Recovery.Heads.ToDictionary(h => h.Key, h => h.Value.Next);
    }

    public string Directory { get; }

    public StorageModel Model { get; set; }

    public string[] Destinations { get; }

    public TestClock Clock { get; } = new();

    public SqliteStore Store { get; private set; }

    public StoreRecovery Recovery { get; private set; }

    public Dictionary<FeedStream, long> Next { get; private set; }

    /// <summary>The ledger, gone on from what the store has.</summary>
    public LedgerChain Chain
    {
        get
        {
            if (_chain is null)
            {
                var found = Store.RecoverLedger();
                Assert.Null(found.Damage);
                _chain = new LedgerChain("gw", LedgerKey, found.State is { } state ? new LedgerHead(state.Next, state.Head) : LedgerHead.Start, found.Open);
                if (found.State is null)
                {
                    _chain.Append(new(0), new OpeningContent("gw", LedgerKey.PublicKey));
                }
            }

            return _chain;
        }
    }

    /// <summary>Appends a record to the ledger, with the batch.</summary>
    public void Enter(Instant at, string text)
    {
        Chain.Append(at, new GapContent(text, 0, 0, 0));
        Batch.LedgerRows.AddRange(Chain.TakeRows());
        Batch.LedgerState = new(Chain.Next, Chain.Head, 1, 1, LedgerInForce.None with { PublicKey = LedgerKey.PublicKey });
    }

    /// <summary>What the ledger in the store holds, after it was verified as an export.</summary>
    /// <param name="path">The store.</param>
    /// <param name="key">The key that signs; that of the tests when absent.</param>
    public static (LedgerVerdict Verdict, List<LedgerRecord> Records) Ledger(string path, DeviceKey? key = null)
    {
        key ??= LedgerKey;
        var source = LedgerSource.Open(path);
        using var export = new MemoryStream();
        LedgerExport.Write(source.Header, source.Lines(), key, export);
        export.Position = 0;
        var records = new List<LedgerRecord>();
        return (new LedgerVerifier(key.PublicKey) { Accepted = records.Add }.Verify(export), records);
    }

    public CommitBatch Batch { get; } = new() { ValueOf = ValueOf };

    public string Database => Path.Combine(Directory, "gateway.db");

    public long Epoch(FeedStream stream) => Recovery.Heads[stream].Epoch;

    /// <summary>Adds a row of the stream's next records.</summary>
    public OutboxRow Add(FeedStream stream = FeedStream.Summary, RowClass rowClass = RowClass.Summary, int count = 1, int bytes = 200, byte level = 0, int standIn = 0)
    {
        var row = new OutboxRow
        {
            Stream = stream,
            Epoch = Epoch(stream),
            FirstSequence = Next[stream],
            Count = count,
            Class = rowClass,
            Level = level,
            StandInSeconds = standIn,
            Created = Instant.From(Clock.GetUtcNow()),
            Body = Body(stream, Next[stream], bytes),
        };
        Next[stream] += count;
        Batch.Rows.Add(row);
        Batch.Heads.RemoveAll(h => h.Stream == stream);
        Batch.Heads.Add(new StreamHead(stream, Epoch(stream), Next[stream]));
        return row;
    }

    /// <summary>A body whose padding hardly deflates, so that it takes the space it asks for.</summary>
    public static byte[] Body(FeedStream stream, long sequence, int bytes)
    {
        var padding = new byte[bytes];
        new Random((int)sequence).NextBytes(padding);
        return Encoding.UTF8.GetBytes($"[{{\"stream\":\"{stream}\",\"seq\":{sequence},\"pad\":\"{Convert.ToBase64String(padding)[..bytes]}\"}}]");
    }

    /// <summary>Sets the input batch that follows, with samples that follow from its number.</summary>
    public InputBatch Feed(int samples = 10)
    {
        var input = MakeInput(Store.NextBatchNumber, samples);
        Batch.Input = input;
        return input;
    }

    public static InputBatch MakeInput(long number, int samples)
    {
        var all = new Sample[samples];
        for (var i = 0; i < samples; i++)
        {
            var raw = (ulong)((number * 1000) + i);
            all[i] = new Sample(i, new Instant(1_790_000_000_000 + (number * 1000)), raw / 10.0, raw, Quality.Good);
        }

        return new InputBatch(number, new Instant(1_790_000_000_000 + (number * 1000)), Boot, number * 1000, null, all);
    }

    public void SetCheckpoint(int stateBytes = 500)
    {
        var number = Store.NextBatchNumber - (Batch.Input is null ? 1 : 0);
        Batch.Checkpoint = new Checkpoint(number, "hash", Instant.From(Clock.GetUtcNow()), MakeState(number, stateBytes));
    }

    public static byte[] MakeState(long number, int bytes)
    {
        var state = new byte[bytes];
        new Random((int)number).NextBytes(state);
        return state;
    }

    public CommitResult Commit()
    {
        var result = Store.Commit(Batch);
        Batch.Clear();
        return result;
    }

    public List<OutboxRow> ReadAll(long after = 0)
    {
        var rows = new List<OutboxRow>();
        while (Store.Read(after + 1, long.MaxValue, 100, 1 << 20, rows) > 0)
        {
            after = rows[^1].Id;
        }

        return rows;
    }

    public List<StoredBatch> ReadLog(long after = 0) => [.. Store.ReadBatches(after)];

    /// <summary>Closes and opens again, as a restart does.</summary>
    public void Reopen(params string[] destinations)
    {
        Store.Dispose();
        Store = SqliteStore.Open(Model, destinations.Length > 0 ? destinations : Destinations, Clock);
        Recovery = Store.Recover();
        Next = Recovery.Heads.ToDictionary(h => h.Key, h => h.Value.Next);
        Batch.Clear();
        _chain = null;
    }

    public long FileBytes() => System.IO.Directory.EnumerateFiles(Directory).Sum(f => new FileInfo(f).Length);

    public void Dispose()
    {
        Store.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

/// <summary>A clock that moves when told.</summary>
internal sealed class TestClock : TimeProvider
{
    private long _milliseconds = 1_790_000_000_000;
    private long _wallOffset;

    public override long TimestampFrequency => 1000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref _milliseconds) + Interlocked.Read(ref _wallOffset));

    /// <summary>Called whenever somebody reads the monotonic clock; the store does so between the commit and the cut of the write-ahead log, when its files are longest.</summary>
    public Action? Asked { get; set; }

    public override long GetTimestamp()
    {
        Asked?.Invoke();
        return Interlocked.Read(ref _milliseconds);
    }

    public void Advance(TimeSpan by) => Interlocked.Add(ref _milliseconds, (long)by.TotalMilliseconds);

    /// <summary>Sets the wall clock, as NTP or a person would; the monotonic clock does not notice.</summary>
    public void StepWall(TimeSpan by) => Interlocked.Add(ref _wallOffset, (long)by.TotalMilliseconds);
}
