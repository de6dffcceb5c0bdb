namespace EdgeGateway.Buses;

/// <summary>Goes along a list of SunSpec models entry by entry: never beyond the last register, and never for ever.</summary>
/// <remarks>SunSpec Device Information Model Specification 1.1: each entry begins with the model's number and the count of registers that follow; 0xFFFF ends the list.</remarks>
/// <param name="marker">Address of the marker in front of the list.</param>
internal sealed class SunSpecWalk(int marker)
{
    private const ushort EndOfModels = 0xFFFF;
    private const int RegistersOfTable = 0x10000;

    /// <summary>Most models that are looked at; a list that is longer is no list.</summary>
    private const int MostModels = 60;

    private readonly List<SunSpecEntry> _models = [];

    /// <summary>Address of the two registers of the next entry, both within the table; null at the end.</summary>
    public int? Next { get; private set; } = marker + 2;

    /// <summary>The entries until now; each lies within the table as a whole.</summary>
    public IReadOnlyList<SunSpecEntry> Models => _models;

    /// <summary>Why the list ends in another way than it should, in words; null while nothing is wrong.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes what the device shows at <see cref="Next"/>.</summary>
    /// <exception cref="InvalidOperationException">The list has ended.</exception>
    public void Take(ushort number, ushort length)
    {
        var at = Next ?? throw new InvalidOperationException("the list of models has ended");
        Next = null;
        if (number == EndOfModels)
        {
            return;
        }

        var end = at + 2 + length;
        if (number == 0 || end > RegistersOfTable)
        {
            Problem = $"its list of models is broken at {at}, which names a model {number} of {length} registers";
            return;
        }

        _models.Add(new(number, at, length));
        if (_models.Count == MostModels)
        {
            Problem = $"its list of models has no end within {MostModels} models";
        }
        else if (end + 2 > RegistersOfTable)
        {
            Problem = $"its list of models runs to {end - 1} and has no end";
        }
        else
        {
            Next = end;
        }
    }

    /// <summary>The device shows nothing at <see cref="Next"/>.</summary>
    public void Refused() => (Problem, Next) = ($"its list of models has no end: it does not show {Next}", null);
}

/// <summary>A model in the list of a device.</summary>
/// <param name="Number">Number of the model.</param>
/// <param name="At">Address of the register that holds the number.</param>
/// <param name="Length">Registers behind number and length, as the device states them.</param>
internal readonly record struct SunSpecEntry(ushort Number, int At, int Length)
{
    /// <summary>Registers of the whole model.</summary>
    public int Registers => Length + 2;
}
