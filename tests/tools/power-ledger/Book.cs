using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.PowerLedger;

/// <summary>The store under trial, and commits whose content follows from their number and from who made them.</summary>
/// <remarks>
/// Commit <c>n</c> holds: batch <c>n</c> with its samples, the samples and one summary as records, the heads, the counter <c>commits</c> = <c>n</c>, and
/// every twentieth a checkpoint. So each part tells of which commit it is, and parts of two commits cannot stand beside each other unnoticed.
/// </remarks>
internal sealed class Book : IDisposable
{
    public const string Destination = "centre";
    public const string Counter = "commits";
    public const int Samples = 20;
    public const int CheckpointEvery = 20;

    private const long Start = 1_790_000_000_000;

    private readonly CommitBatch _batch = new() { ValueOf = ValueOf };
    private readonly FeedEncoder _encoder;
    private readonly int _run;

    /// <param name="directory">Where the store is or shall be.</param>
    /// <param name="run">Who writes: the contents of the records differ from run to run, so that a number that is given twice shows.</param>
    /// <param name="budget">Its byte budget; a quarter of it is the sample log's.</param>
    /// <param name="time">Clock; null is the system's.</param>
    public Book(string directory, int run, long budget = 32 << 20, TimeProvider? time = null)
    {
        _run = run;
        Store = SqliteStore.Open(
            new StorageModel
            {
                Directory = directory,
                BudgetBytes = budget,
                SampleLogBytes = budget / 4,
                CommitWindow = TimeSpan.FromSeconds(1),
                CheckpointInterval = TimeSpan.FromMinutes(1),
            },
            [Destination],
            time ?? TimeProvider.System);
        Recovery = Store.Recover();
        _encoder = new FeedEncoder(ExampleFeed.Site, FeedHeads.From(Recovery.Heads[FeedStream.Sample].Epoch, s => Recovery.Heads[s].Next), "1.0");
        Commits = Recovery.Counters.GetValueOrDefault(Counter);
    }

    public SqliteStore Store { get; }

    /// <summary>What was found at the opening.</summary>
    public StoreRecovery Recovery { get; }

    /// <summary>Number of the last commit.</summary>
    public long Commits { get; private set; }

    public FeedHeads Heads => _encoder.Heads;

    public static double ValueOf(int point, ulong raw) => raw / 10.0;

    public static Instant TimeOf(long number) => new(Start + (number * 1000));

    /// <summary>The batch that commit <paramref name="number"/> feeds.</summary>
    public static InputBatch Input(long number)
    {
        var samples = new Sample[Samples];
        for (var i = 0; i < Samples; i++)
        {
            var raw = (ulong)((number * Samples) + i);
            samples[i] = new Sample(ExampleFeed.BeltFlow, TimeOf(number) + TimeSpan.FromMilliseconds(40 * i), ValueOf(ExampleFeed.BeltFlow, raw), raw, Quality.Good);
        }

        return new InputBatch(number, TimeOf(number), Guid.Empty, number * 1000, null, samples);
    }

    /// <summary>The state that the checkpoint of commit <paramref name="number"/> holds.</summary>
    public static byte[] State(long number)
    {
        var state = new byte[3000];
        new Random((int)number).NextBytes(state);
        return state;
    }

    /// <summary>Makes the next commit; durable when it returns.</summary>
    public void Commit()
    {
        var number = Commits + 1;
        var input = Input(number);
        foreach (var sample in input.Samples.Span)
        {
            _encoder.Sample(sample with { Value = sample.Value + (_run * 1e6) });
        }

        _encoder.Summary(ExampleFeed.GaugeSummary with { Start = TimeOf(number * 60), Mean = _run });
        _batch.Input = input;
        _batch.Rows.AddRange(_encoder.Flush(input.Now));
        _batch.Heads.AddRange(FeedHeads.Streams.Select(s => new StreamHead(s, _encoder.Heads.Epoch, _encoder.Heads[s])));
        _batch.Counters.Add((Counter, number));
        if (number % CheckpointEvery == 0)
        {
            _batch.Checkpoint = new Checkpoint(number, ExampleFeed.Site.ConfigurationHash, input.Now, State(number));
        }

        Store.Commit(_batch);
        _batch.Clear();
        Commits = number;
    }

    public void Dispose() => Store.Dispose();
}
