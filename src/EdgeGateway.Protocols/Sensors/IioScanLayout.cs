namespace EdgeGateway.Protocols.Sensors;

/// <summary>Where the values of a captured scan stand: in the order of their index, each at a multiple of its size, the whole at a multiple of the largest.</summary>
public sealed class IioScanLayout
{
    private readonly (int At, IioSampleFormat Format)[] _elements;

    /// <summary>A layout.</summary>
    /// <param name="elements">Index and format of each value that is captured, in any order.</param>
    public IioScanLayout(IReadOnlyList<(int Index, IioSampleFormat Format)> elements)
    {
        ArgumentNullException.ThrowIfNull(elements);
        _elements = new (int, IioSampleFormat)[elements.Count];
        int end = 0, largest = 1;
        foreach (var i in Enumerable.Range(0, elements.Count).OrderBy(i => elements[i].Index))
        {
            var format = elements[i].Format;
            var at = Align(end, format.Bytes);
            _elements[i] = (at, format);
            end = at + format.Bytes;
            largest = Math.Max(largest, format.Bytes);
        }

        Bytes = Align(end, largest);
    }

    /// <summary>Bytes of a scan.</summary>
    public int Bytes { get; }

    /// <summary>A value of a scan.</summary>
    /// <param name="scan">The bytes of the scan.</param>
    /// <param name="element">Its place in the list that the layout was made of.</param>
    public long Read(ReadOnlySpan<byte> scan, int element)
    {
        var (at, format) = _elements[element];
        return format.Read(scan[at..]);
    }

    private static int Align(int at, int size) => (at + size - 1) / size * size;
}
