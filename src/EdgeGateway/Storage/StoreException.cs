namespace EdgeGateway.Storage;

/// <summary>Why the store cannot do what was asked.</summary>
public enum StoreFailure
{
    /// <summary>The file system is full. The batch was not committed; commit it again later.</summary>
    DiskFull,

    /// <summary>The file or file system is read-only. The batch was not committed; commit it again later.</summary>
    ReadOnly,

    /// <summary>Reading or writing failed. The batch was not committed; commit it again later.</summary>
    Io,

    /// <summary>
    /// The batch does not fit into the byte budget, whatever is evicted. It was not committed, and the same batch never will be with this budget;
    /// smaller ones will, and one with a checkpoint when the sample log takes the room.
    /// </summary>
    BudgetExhausted,

    /// <summary>The database is damaged. Dispose the store and open it again: opening salvages what can be read.</summary>
    Damaged,

    /// <summary>Another process holds the directory.</summary>
    InUse,

    /// <summary>The store was made by a newer program that does not allow this one.</summary>
    TooNew,

    /// <summary>Write-ahead log, full synchronisation or another setting did not take.</summary>
    Unsafe,
}

/// <summary>The store refuses or fails, with a sentence for the operator that names the cure.</summary>
public sealed class StoreException(StoreFailure failure, string message, Exception? inner = null) : IOException(message, inner)
{
    public StoreFailure Failure { get; } = failure;

    /// <summary>True when the same call can succeed later without a restart.</summary>
    public bool CanRetry => Failure is StoreFailure.DiskFull or StoreFailure.ReadOnly or StoreFailure.Io;
}
