using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>Mean of the last values, moving by whole blocks: of the last <paramref name="blocks"/> blocks of <paramref name="blockLength"/> values, the newest of which is still filling.</summary>
internal sealed class MovingMean(int blocks, int blockLength)
{
    private readonly double[] _sums = new double[blocks];
    private double _total;
    private int _open;
    private int _known;
    private int _inOpen;

    /// <summary>Values that a full mean covers.</summary>
    public int Length => blocks * blockLength;

    /// <summary>Takes a value and returns the mean with it; of fewer values until there are enough.</summary>
    public double Add(double value)
    {
        if (_inOpen == 0)
        {
            Open();
        }

        _sums[_open] += value;
        _total += value;
        _inOpen++;
        var mean = _total / (((_known - 1) * blockLength) + _inOpen);
        if (_inOpen == blockLength)
        {
            _inOpen = 0;
        }

        return mean;
    }

    public void Clear()
    {
        Array.Clear(_sums);
        _total = 0;
        _open = _known = _inOpen = 0;
    }

    public void Save(StateWriter writer)
    {
        foreach (var sum in _sums)
        {
            writer.Write(sum);
        }

        writer.Write(_total);
        writer.Write(_open);
        writer.Write(_known);
        writer.Write(_inOpen);
    }

    public void Load(ref StateReader reader)
    {
        foreach (ref var sum in _sums.AsSpan())
        {
            sum = reader.ReadDouble();
        }

        _total = reader.ReadDouble();
        _open = Math.Clamp(reader.ReadInt32(), 0, blocks - 1);
        _known = Math.Clamp(reader.ReadInt32(), 0, blocks);
        _inOpen = Math.Clamp(reader.ReadInt32(), 0, blockLength - 1);
    }

    private void Open()
    {
        _open = _open + 1 == blocks ? 0 : _open + 1;
        _known = Math.Min(_known + 1, blocks);
        if (_open != 0)
        {
            _total -= _sums[_open];
            _sums[_open] = 0;
            return;
        }

        // Once a round the total is made anew, so that rounding does not pile up.
        _sums[0] = 0;
        _total = 0;
        foreach (var sum in _sums)
        {
            _total += sum;
        }
    }
}
