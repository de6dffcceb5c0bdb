using System.Collections;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>Operating hours and those of them that are quality assured: over the last 8760 operating hours (Part 75), or of a period that is begun by <see cref="Begin"/>.</summary>
/// <param name="isRing">Whether the last 8760 operating hours count; else all since the beginning of the period.</param>
internal sealed class AvailabilityCount(bool isRing)
{
    private readonly BitArray? _hours = isRing ? new BitArray(Substitution.AvailabilityHours) : null;
    private readonly HourRuns _runs = new();
    private int _next;

    /// <summary>Operating hours that count.</summary>
    public int Operating { get; private set; }

    /// <summary>Quality-assured hours among them.</summary>
    public int Assured { get; private set; }

    /// <summary>Percent, rounded to 0.1; null before the first operating hour.</summary>
    public decimal? Percent => Operating > 0 ? Substitution.Availability(Assured, Operating) : null;

    /// <summary>Valid capture as HJ 75 compares it, not rounded; 0 before the first operating hour.</summary>
    public decimal Exact => Operating > 0 ? 100m * Assured / Operating : 0;

    /// <summary>Counts an operating hour.</summary>
    /// <param name="assured">Whether it is quality assured.</param>
    /// <param name="hour">The clock hour, counted from 1970.</param>
    public void Add(bool assured, long hour)
    {
        if (_hours is not null)
        {
            if (Operating == _hours.Length)
            {
                RemoveOldest(_hours);
            }

            _runs.Add(hour, Operating);
            _hours[_next] = assured;
            _next = (_next + 1) % _hours.Length;
        }

        Operating++;
        Assured += assured ? 1 : 0;
    }

    /// <summary>Removes operating hours before <paramref name="hour"/>: a unit that runs seldom does not count what is long ago.</summary>
    public void ForgetBefore(long hour)
    {
        while (_hours is not null && Operating > 0 && _runs.Oldest < hour)
        {
            RemoveOldest(_hours);
        }
    }

    /// <summary>Hours of the period turn out not to be quality assured. Not for the last 8760.</summary>
    public void TakeBack(int hours) => Assured -= Math.Min(hours, Assured);

    /// <summary>Begins a period.</summary>
    public void Begin() => (Operating, Assured) = (0, 0);

    public void Save(StateWriter writer)
    {
        writer.Write(Operating);
        writer.Write(Assured);
        writer.Write(_next);
        if (_hours is not null)
        {
            var bytes = new byte[(_hours.Length + 7) / 8];
            _hours.CopyTo(bytes, 0);
            writer.Write(bytes.AsSpan());
            _runs.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="hasHours">False for a state of a program that kept no hours.</param>
    /// <exception cref="InvalidDataException">The counts cannot be.</exception>
    public void Load(ref StateReader reader, bool hasHours)
    {
        Operating = reader.ReadInt32();
        Assured = reader.ReadInt32();
        _next = reader.ReadInt32();
        if (_hours is null)
        {
            return;
        }

        var bytes = reader.ReadBytes();
        if (bytes.Length != (_hours.Length + 7) / 8 || _next < 0 || _next >= _hours.Length || Operating > _hours.Length)
        {
            throw new InvalidDataException("The hours of availability do not fit.");
        }

        for (var i = 0; i < _hours.Length; i++)
        {
            _hours[i] = ((bytes[i / 8] >> (i % 8)) & 1) != 0;
        }

        if (hasHours)
        {
            _runs.Load(ref reader);
        }
    }

    private void RemoveOldest(BitArray hours)
    {
        Assured -= hours[(_next + hours.Length - Operating) % hours.Length] ? 1 : 0;
        Operating--;
        _runs.RemoveOldest();
    }
}
