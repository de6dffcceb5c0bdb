using System.Globalization;

namespace EdgeGateway.Storage;

/// <summary>How the byte budget is divided between the files of the store.</summary>
internal readonly record struct StoreLimits
{
    /// <summary>A page and its header in the write-ahead log.</summary>
    public const int FrameBytes = Database.PageSize + 24;

    /// <summary>Smallest budget the store works with.</summary>
    public const long MinBudgetBytes = 512 * 1024;

    // Marker, witness, lock, process id and budget: five files of one block each, and one spare for the moment of replacement.
    private const long SmallFiles = 6 * 4096;

    // The least budget a site can have. Smaller stores do without a ballast.
    private const long LeastWithBallast = 16L << 20;
    private const long LargestBallast = 8L << 20;

    // A line of the table "loss", with what its pages leave empty: 60 were read.
    private const int LossRunBytes = 64;

    private StoreLimits(long budget)
    {
        // A thirty-second of the budget between two checkpoints, three times that as the most the log may ever take: for the
        // transaction that is just being written, and for readers that hold a checkpoint up for a moment.
        var pages = (int)Math.Clamp(budget / 32 / Database.PageSize, 16, 1000);
        LogReserveBytes = 3L * pages * FrameBytes;

        // The index of the log does not get smaller until the store is closed: room for the largest transaction there can be, half the budget.
        var sharedMemory = ((budget / 2 / FrameBytes / 4000) + 1) * 32768;
        BallastBytes = budget < LeastWithBallast ? 0 : Math.Min(budget / 8, LargestBallast);
        TotalBytes = budget - sharedMemory - SmallFiles - BallastBytes;
        Sqlite = new DatabaseLimits(pages, (long)pages * FrameBytes, (TotalBytes - LogReserveBytes) / Database.PageSize);
        AsideBytes = Math.Clamp(budget / 64, 8 << 10, 1 << 20);
        QuarantineBytes = budget / 16;
        MostLossRuns = (int)Math.Clamp(budget / 16 / LossRunBytes, 400, 100_000);
        TruncateAtBytes = (long)pages * FrameBytes;
    }

    public DatabaseLimits Sqlite { get; private init; }

    /// <summary>Length of the ballast (requirement E-4): 2 to 8 MiB, part of the budget; 0 for stores below 16 MiB.</summary>
    public long BallastBytes { get; }

    /// <summary>Most bytes that main file and write-ahead log may take together.</summary>
    public long TotalBytes { get; private init; }

    /// <summary>Bytes of the write-ahead log that the main file leaves free at all times. A larger commit needs a main file that is that much smaller.</summary>
    public long LogReserveBytes { get; private init; }

    /// <summary>Most bytes of refused rows that one commit copies to the quarantine.</summary>
    public long AsideBytes { get; }

    /// <summary>Most bytes of bodies that the quarantine holds.</summary>
    public long QuarantineBytes { get; }

    /// <summary>
    /// Most runs of lost records that are kept, the newest of each stream, epoch, reason and destination: a sixteenth of the budget in all. Where rows of different
    /// fates follow each other each leaves a run of its own; what is forgotten was published or is still a notice, and stays in the counts.
    /// </summary>
    public int MostLossRuns { get; }

    /// <summary>Most rows that are deleted in one transaction to make room for the next.</summary>
    public long RowsToDeleteAtOnce => LogReserveBytes / FrameBytes / 6;

    /// <summary>Size of the write-ahead log at which it is moved to the main file and cut.</summary>
    public long TruncateAtBytes { get; }

    /// <summary>The limits while the file system is full: only what is set apart for the two files.</summary>
    /// <param name="pages">Pages of the main file.</param>
    /// <param name="logBytes">Bytes of the write-ahead log.</param>
    public StoreLimits Within(long pages, long logBytes) => this with
    {
        Sqlite = Sqlite with { MaxPages = pages },
        LogReserveBytes = Math.Min(LogReserveBytes, logBytes),
        TotalBytes = (pages * Database.PageSize) + logBytes,
    };

    /// <exception cref="StoreException">The budget is too small to work with.</exception>
    public static StoreLimits For(long budgetBytes) => budgetBytes >= MinBudgetBytes
        ? new StoreLimits(budgetBytes)
        : throw new StoreException(
            StoreFailure.BudgetExhausted,
            string.Create(CultureInfo.InvariantCulture, $"The storage budget of {budgetBytes} bytes is below the least the store can work with, {MinBudgetBytes} bytes."));
}
