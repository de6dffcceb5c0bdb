namespace EdgeGateway.Storage;

// Damage that shows when the store is used, not when it is opened: the caller says so, disposes the store and opens it again.
public sealed partial class SqliteStore
{
    /// <summary>
    /// Notes, durably, that what the store holds cannot be used, so that the next opening salvages it. Then dispose the store and open it again:
    /// what can be read is carried over, a new epoch begins and <see cref="StoreRecovery.Report"/> tells <paramref name="reason"/>.
    /// </summary>
    /// <param name="reason">What was found, for a person.</param>
    /// <exception cref="StoreException">The note could not be written; opening again meets the same damage.</exception>
    public void MarkDamaged(string reason) => Suspect(new StoreSuspicion(reason, null, null));

    /// <summary>
    /// As <see cref="MarkDamaged"/>, for a batch whose bytes are whole and which all the same cannot be replayed, such as one with
    /// <see cref="Core.State.FrameStatus.ValuesDiffer"/>: the salvage drops it and all batches after it and keeps everything else, so that it is not met again.
    /// </summary>
    /// <param name="number">The first batch that cannot be replayed.</param>
    /// <param name="reason">What was found, for a person.</param>
    /// <exception cref="StoreException">The note could not be written; opening again meets the same batch.</exception>
    public void MarkNotReplayable(long number, string reason) => Suspect(new StoreSuspicion(reason, number, null));

    /// <summary>
    /// As <see cref="MarkDamaged"/>, for a checkpoint whose bytes are whole and whose state all the same cannot be loaded: the salvage takes the
    /// newest one before it, or none.
    /// </summary>
    /// <param name="logNumber">The checkpoint's <see cref="Checkpoint.LogNumber"/>.</param>
    /// <param name="reason">What was found, for a person.</param>
    /// <exception cref="StoreException">The note could not be written; opening again meets the same checkpoint.</exception>
    public void MarkCheckpointUnusable(long logNumber, string reason) => Suspect(new StoreSuspicion(reason, null, logNumber));

    private void Suspect(StoreSuspicion suspicion)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        WriteSuspicion(_files, suspicion, null);
    }

    private void NoteDamage(StoreException e) => WriteSuspicion(_files, new StoreSuspicion(e.Message, null, null), e);

    private static void WriteSuspicion(StoreFiles files, StoreSuspicion suspicion, StoreException? cause)
    {
        try
        {
            suspicion.Write(files.Suspect);
        }
        catch (Exception again) when (again is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFailure.Damaged, $"{suspicion.Reason} The note about it could not be written either: {again.Message}", cause ?? again);
        }
    }

    /// <summary>Runs <paramref name="use"/>; when it meets damage, notes that for the next opening.</summary>
    private T NotingDamage<T>(Func<T> use)
    {
        try
        {
            return use();
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
        {
            NoteDamage(e);
            throw;
        }
    }
}
