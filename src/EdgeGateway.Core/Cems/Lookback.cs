using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>The newest values of a look-back, a ring of fixed size, kept to 0.001 of their unit: bounded in memory, and 8 bytes a value in the checkpoint.</summary>
/// <param name="capacity">Most values it holds.</param>
internal sealed class Lookback(int capacity)
{
    private readonly List<long> _thousandths = [];
    private int _oldest;

    /// <summary>How many it holds.</summary>
    public int Count => _thousandths.Count;

    /// <summary>Adds the newest, rounded to 0.001; the oldest goes when it is full.</summary>
    public void Add(decimal value)
    {
        var kept = decimal.ToInt64((value * 1000).To(0));
        if (_thousandths.Count < capacity)
        {
            _thousandths.Add(kept);
            return;
        }

        _thousandths[_oldest] = kept;
        _oldest = (_oldest + 1) % capacity;
    }

    /// <summary>The values, oldest first.</summary>
    public decimal[] ToArray()
    {
        var values = new decimal[_thousandths.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = _thousandths[(_oldest + i) % values.Length] / 1000m;
        }

        return values;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_thousandths.Count);
        for (var i = 0; i < _thousandths.Count; i++)
        {
            writer.Write(_thousandths[(_oldest + i) % _thousandths.Count]);
        }
    }

    /// <exception cref="InvalidDataException">There are more values than it can hold.</exception>
    public void Load(ref StateReader reader)
    {
        var count = reader.ReadInt32();
        if (count < 0 || count > capacity)
        {
            throw new InvalidDataException($"The look-back has {count} values; this program keeps {capacity}.");
        }

        _thousandths.Clear();
        _oldest = 0;
        for (; count > 0; count--)
        {
            _thousandths.Add(reader.ReadInt64());
        }
    }
}
