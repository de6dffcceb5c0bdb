namespace EdgeGateway.Hosting;

/// <summary>The newest reading of each point while the store cannot be written, and how many readings found no place in the queue.</summary>
internal sealed class NewestReadings(int points)
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
        lock (_gate)
        {
            _readings[reading.Point] = reading;
            _isFresh[reading.Point] = true;
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
