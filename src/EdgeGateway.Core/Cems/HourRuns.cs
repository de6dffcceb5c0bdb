using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>Which clock hours the values of a ring are of, oldest first, as runs of consecutive hours: a unit that runs for weeks costs one run. Hours are counted from 1970.</summary>
internal sealed class HourRuns
{
    private readonly LinkedList<(long First, int Count)> _runs = new();

    /// <summary>The oldest hour; null when there is none.</summary>
    public long? Oldest => _runs.First?.Value.First;

    /// <summary>Adds the newest hour.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="before">How many the ring held before: a state of a program that kept no hours has its values as of the hours just before.</param>
    public void Add(long hour, int before)
    {
        if (_runs.Count == 0 && before > 0)
        {
            _runs.AddLast((hour - before, before));
        }

        if (_runs.Last is { } last && last.Value.First + last.Value.Count == hour)
        {
            last.Value = (last.Value.First, last.Value.Count + 1);
        }
        else
        {
            _runs.AddLast((hour, 1));
        }
    }

    /// <summary>Removes the oldest.</summary>
    public void RemoveOldest()
    {
        if (_runs.First is { } first)
        {
            first.Value = (first.Value.First + 1, first.Value.Count - 1);
            if (first.Value.Count == 0)
            {
                _runs.RemoveFirst();
            }
        }
    }

    /// <summary>Removes the newest.</summary>
    public void RemoveNewest()
    {
        if (_runs.Last is { } last)
        {
            last.Value = (last.Value.First, last.Value.Count - 1);
            if (last.Value.Count == 0)
            {
                _runs.RemoveLast();
            }
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_runs.Count);
        foreach (var (first, count) in _runs)
        {
            writer.Write(first);
            writer.Write(count);
        }
    }

    /// <exception cref="InvalidDataException">A run has no hour.</exception>
    public void Load(ref StateReader reader)
    {
        _runs.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var run = (First: reader.ReadInt64(), Count: reader.ReadInt32());
            if (run.Count <= 0)
            {
                throw new InvalidDataException("A run of hours has no hour.");
            }

            _runs.AddLast(run);
        }
    }
}
