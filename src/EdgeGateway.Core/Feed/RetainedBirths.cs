using System.Collections.Immutable;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>The newest committed birth of each device, for uplinks that must announce the devices again. Thread-safe.</summary>
/// <remarks>Only committed rows may be put in: a number that a crash takes back must never have been published.</remarks>
public sealed class RetainedBirths
{
    private ImmutableSortedDictionary<string, OutboxRow> _births = ImmutableSortedDictionary.Create<string, OutboxRow>(StringComparer.Ordinal);

    /// <summary>The newest birth of each device, by device id.</summary>
    public IReadOnlyList<OutboxRow> Current => [.. Volatile.Read(ref _births).Values];

    /// <summary>Takes the births out of rows that have been committed.</summary>
    public void Committed(IReadOnlyList<OutboxRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        foreach (var row in rows)
        {
            if (row.Stream == FeedStream.Birth)
            {
                ImmutableInterlocked.Update(ref _births, static (births, row) => births.SetItem(row.Subtopic ?? "", row), row);
            }
        }
    }

    /// <summary>Forgets all devices; due when another configuration comes into force, before its births are committed.</summary>
    public void Clear() => ImmutableInterlocked.Update(ref _births, static births => births.Clear());
}
