using System.Globalization;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Storage;

/// <summary>
/// The budget of a site that names none: 60 % of the space that was free when the store was made, at least 64 MiB (requirement E-1). It is written down
/// in a file of its own and never changes by itself: a disk that has filled since must not shrink the store.
/// </summary>
internal static class StorageBudget
{
    private const int PercentOfFree = 60;

    private const string FirstLine = "edgegateway budget 1";

    /// <summary>The settings with the budget, and the sample log's share, as numbers.</summary>
    /// <exception cref="StoreException">The file cannot be read or written.</exception>
    public static StorageModel Resolve(StorageModel storage, StoreFiles files)
    {
        var budget = storage.BudgetBytes > 0 ? storage.BudgetBytes : Chosen(files);
        return storage with { BudgetBytes = budget, SampleLogBytes = storage.SampleLogBytes > 0 ? storage.SampleLogBytes : budget / 4 };
    }

    /// <summary>The budget for a file system with so much free space.</summary>
    /// <param name="freeBytes">Bytes that a user may still write.</param>
    /// <param name="ownBytes">Bytes that the store takes already.</param>
    internal static long Of(long freeBytes, long ownBytes) =>
        Math.Max(StorageModel.LeastDefaultBudgetBytes, (freeBytes + ownBytes) / 100 * PercentOfFree);

    private static long Chosen(StoreFiles files)
    {
        try
        {
            if (File.Exists(files.Budget))
            {
                var lines = File.ReadAllLines(files.Budget);
                if (lines.Length >= 2
                    && lines[0] == FirstLine
                    && long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
                    && bytes >= StorageModel.LeastDefaultBudgetBytes)
                {
                    return bytes;
                }
            }

            // Also when the file is not understood: better a new number than no gateway.
            var chosen = Of(new DriveInfo(files.Directory).AvailableFreeSpace, files.Bytes());
            Durable.WriteText(files.Budget, string.Create(
                CultureInfo.InvariantCulture,
                $"{FirstLine}\n{chosen}\nBytes the store may take: {PercentOfFree} % of what was free when it was made. Delete this file to choose anew, or set storage.budget.\n"));
            return chosen;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFailure.Io, $"The budget of the store cannot be read from or written to {files.Budget}: {e.Message}. Set storage.budget, or mend the file.", e);
        }
    }
}
