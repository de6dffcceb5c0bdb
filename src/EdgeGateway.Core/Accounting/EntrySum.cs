using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting;

/// <summary>Adds entries of one interval to a site total or to a parent's remainder.</summary>
/// <remarks>
/// Mass is the exact sum of the entries' integers. Coverage is the smallest of all parts: a sum is known no better than its
/// least-known part. Meters err independently (their parts are added as squares), while entries with the same factor err together (added
/// linearly, IPCC 2006 volume 1, 3.2.3).
/// </remarks>
internal struct EntrySum
{
    private Int128 _milligrams;
    private decimal _kWh;
    private double _coverage;
    private double _meterSquares;
    private double _factorPart;
    private bool _any;
    private bool _allocated;
    private string? _factorId;
    private decimal _factor;
    private string? _note;
    private bool _mixed;

    /// <summary>Adds (<paramref name="sign"/> 1) or takes away (-1) an entry's energy and mass.</summary>
    public void Add(in EmissionRecord entry, double factorPercent, int sign)
    {
        _coverage = _any ? Math.Min(_coverage, entry.Coverage) : entry.Coverage;
        _any = true;
        _allocated |= entry.Allocated;
        _kWh += sign * entry.ActivityKWh;
        _milligrams += sign * entry.Milligrams;
        var meter = CarbonAccount.MeterUncertaintyPercent * entry.Milligrams;
        _meterSquares += meter * meter;
        _factorPart += sign * factorPercent * entry.Milligrams;
        if (entry.Scope == 0)
        {
            return;
        }

        _mixed |= _factorId is not null && _factorId != entry.FactorId;
        _factorId = entry.FactorId;
        _factor = entry.FactorKgPerKWh;
        _note = entry.FactorNote;
    }

    public readonly EmissionRecord ToRecord(EmissionAccount account, int device, Instant start, TimeSpan width, int era, WindowCut cut)
    {
        var milligrams = (long)Int128.Clamp(_milligrams, long.MinValue, long.MaxValue);
        return new EmissionRecord
        {
            Device = device,
            Account = account,
            Start = start,
            Width = width,
            Era = era,
            Method = "electricity-purchased",
            Scope = 2,
            ActivityKWh = _kWh,
            Milligrams = milligrams,
            FactorId = _mixed ? "mixed" : _factorId ?? "none",
            FactorKgPerKWh = _mixed ? 0 : _factor,
            FactorNote = _mixed ? null : _note,
            UncertaintyPercent = Uncertainty.Relative(Math.Sqrt(_meterSquares + (_factorPart * _factorPart)), milligrams),
            Coverage = _coverage,
            CountsTowardSite = false,
            Allocated = _allocated,
            Cut = cut,
        };
    }
}
