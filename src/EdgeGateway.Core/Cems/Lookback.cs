using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>The newest values of a look-back, a ring of fixed size, kept to 0.001 of their unit: bounded in memory, and 8 bytes a value in the checkpoint.</summary>
/// <param name="capacity">Most values it holds.</param>
internal sealed class Lookback(int capacity)
{
    private readonly HourRuns _hours = new();
    private long[] _thousandths = [];
    private int _oldest;

    /// <summary>How many it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Adds the newest, rounded to 0.001; the oldest goes when it is full.</summary>
    /// <param name="value">The value.</param>
    /// <param name="hour">The clock hour it is of, counted from 1970.</param>
    public void Add(decimal value, long hour)
    {
        if (Count == capacity)
        {
            RemoveOldest();
        }

        if (Count == _thousandths.Length)
        {
            Grow();
        }

        _hours.Add(hour, Count);
        _thousandths[(_oldest + Count) % _thousandths.Length] = decimal.ToInt64((value * 1000).To(0));
        Count++;
    }

    /// <summary>Removes what is of hours before <paramref name="hour"/>.</summary>
    public void ForgetBefore(long hour)
    {
        while (Count > 0 && _hours.Oldest < hour)
        {
            RemoveOldest();
        }
    }

    /// <summary>Removes the newest <paramref name="count"/> values.</summary>
    public void RemoveNewest(int count)
    {
        for (; count > 0 && Count > 0; count--)
        {
            Count--;
            _hours.RemoveNewest();
        }
    }

    /// <summary>The values, oldest first.</summary>
    public decimal[] ToArray()
    {
        var values = new decimal[Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = At(i) / 1000m;
        }

        return values;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Count);
        for (var i = 0; i < Count; i++)
        {
            writer.Write(At(i));
        }

        _hours.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="hasHours">False for a state of a program that kept no hours.</param>
    /// <exception cref="InvalidDataException">There are more values than it can hold.</exception>
    public void Load(ref StateReader reader, bool hasHours)
    {
        var count = reader.ReadInt32();
        if (count < 0 || count > capacity)
        {
            throw new InvalidDataException($"The look-back has {count} values; this program keeps {capacity}.");
        }

        (_thousandths, _oldest, Count) = (new long[count], 0, count);
        for (var i = 0; i < count; i++)
        {
            _thousandths[i] = reader.ReadInt64();
        }

        if (hasHours)
        {
            _hours.Load(ref reader);
        }
    }

    private long At(int i) => _thousandths[(_oldest + i) % _thousandths.Length];

    private void RemoveOldest()
    {
        _oldest = (_oldest + 1) % _thousandths.Length;
        Count--;
        _hours.RemoveOldest();
    }

    private void Grow()
    {
        var larger = new long[Math.Min(capacity, Math.Max(16, Count * 2))];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = At(i);
        }

        (_thousandths, _oldest) = (larger, 0);
    }
}
