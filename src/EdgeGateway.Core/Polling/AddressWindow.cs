using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>A run of addresses of one table: the first, and the one behind the last.</summary>
internal readonly record struct AddressWindow(int First, int End) : IComparable<AddressWindow>
{
    public int Length => End - First;

    public static AddressWindow Of(RegisterSpan span) => new(span.First, span.End);

    public static AddressWindow Of(ReadRequest request) => new(request.Address, request.Address + request.Quantity);

    public bool Contains(AddressWindow other) => other.First >= First && other.End <= End;

    public int CompareTo(AddressWindow other) => First != other.First ? First.CompareTo(other.First) : End.CompareTo(other.End);

    /// <summary>The stretches that sorted windows cover together.</summary>
    public static AddressWindow[] Joined(IReadOnlyList<AddressWindow> sorted)
    {
        var joined = new List<AddressWindow>();
        foreach (var window in sorted)
        {
            if (joined.Count > 0 && window.First <= joined[^1].End)
            {
                joined[^1] = new(joined[^1].First, Math.Max(joined[^1].End, window.End));
            }
            else
            {
                joined.Add(window);
            }
        }

        return [.. joined];
    }

    /// <summary>Forbids every address that none of the sorted windows covers: one address behind each stretch is enough.</summary>
    public static void ForbidOutside(IReadOnlyList<AddressWindow> sorted, List<AddressWindow> forbidden)
    {
        foreach (var stretch in Joined(sorted))
        {
            forbidden.Add(new(stretch.End, stretch.End + 1));
        }
    }
}

/// <summary>A point and where it stands; sorted by table, first address, end and index.</summary>
internal readonly record struct PointPlace(int Index, RegisterTable Table, AddressWindow Window) : IComparable<PointPlace>
{
    public int CompareTo(PointPlace other) =>
        Table != other.Table ? Table.CompareTo(other.Table) : Window != other.Window ? Window.CompareTo(other.Window) : Index.CompareTo(other.Index);
}

/// <summary>Tables as people say them.</summary>
internal static class TableNames
{
    public static string Of(RegisterTable table) => table switch
    {
        RegisterTable.Coil => "coils",
        RegisterTable.DiscreteInput => "discrete inputs",
        RegisterTable.InputRegister => "input registers",
        _ => "holding registers",
    };
}
