namespace EdgeGateway.Hosting;

/// <summary>The newest reading of each point while the store cannot be written, and how many readings found no place in the queue.</summary>
/// <param name="points">How many points there are.</param>
/// <param name="numbers">Numbers them; null when all readings carry those in force.</param>
internal sealed class NewestReadings(int points, PointNumbers? numbers = null)
{
    private readonly Lock _gate = new();
    private readonly Reading[] _readings = new Reading[points];
    private readonly bool[] _isFresh = new bool[points];
    private long _notKept;

    /// <summary>Readings that were not kept: the queue was full.</summary>
    public long NotKept => Interlocked.Read(ref _notKept);

    /// <summary>Notes a reading.</summary>
    public void Set(in Reading reading)
    {
        var point = numbers?.Of(reading) ?? reading.Point;
        if (point < 0)
        {
            return;
        }

        lock (_gate)
        {
            _readings[point] = reading with { Point = point };
            _isFresh[point] = true;
        }
    }

    /// <summary>Counts a reading that the queue could not take.</summary>
    public void CountNotKept() => Interlocked.Increment(ref _notKept);

    /// <summary>Takes what is new since the last call, in the order of the points.</summary>
    public void Take(List<Reading> readings)
    {
        lock (_gate)
        {
            for (var point = 0; point < _readings.Length; point++)
            {
                if (_isFresh[point])
                {
                    readings.Add(_readings[point]);
                    _isFresh[point] = false;
                }
            }
        }
    }
}
