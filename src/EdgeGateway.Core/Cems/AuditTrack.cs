using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>
/// Linearity checks and relative accuracy test audits (RATA) of one system under 40 CFR Part 75: their results, their deadlines and the bias factor of the hours. Nothing is due before the first test is
/// entered. Times are Unix milliseconds.
/// </summary>
/// <param name="system">The system of a RATA.</param>
/// <param name="component">The component of a linearity check; null: it has none.</param>
/// <param name="stated">Bias factor that the configuration states; it holds until a RATA is entered.</param>
/// <remarks>Deadlines and grace periods are those of appendix B 2.2 and 2.3, recalled: the next linearity by the end of the next quarter, the next RATA by the end of the second or fourth, and 168 or 720
/// operating hours of grace. Quarters in which the unit hardly ran do not prolong them here.</remarks>
internal sealed class AuditTrack(RataSystem system, CemsComponent? component, decimal stated)
{
    /// <summary>Operating hours after the deadline in which a linearity check may still be made.</summary>
    public const int LinearityGraceHours = 168;

    /// <summary>The same of a RATA.</summary>
    public const int RataGraceHours = 720;

    /// <summary>The largest bias factor by which an hour is adjusted.</summary>
    private const decimal LargestBias = 10;

    private decimal? _bias;
    private decimal? _next;
    private Test _linearity;
    private Test _rata;

    /// <summary>Bias factor of the hour that runs.</summary>
    public decimal Bias => _bias ?? stated;

    /// <summary>Judges a linearity check: three gases, three injections of each.</summary>
    /// <exception cref="EmissionRefusedException">The system has none, or these are not three times three.</exception>
    public (decimal Error, TestResult Result) Linearity(IReadOnlyList<RataRun> runs, long due)
    {
        if (component is not { } judged)
        {
            throw new EmissionRefusedException($"{system} has no linearity check by 40 CFR 75.");
        }

        if (runs.Any(r => !r.IsUsed))
        {
            throw new EmissionRefusedException("A linearity check leaves out no injection: all nine count.");
        }

        LinearityLevel[] levels = [.. runs.GroupBy(r => r.Reference).OrderBy(g => g.Key).Select(g => Cems.Linearity.Judge(judged, [.. g.Select(r => new Injection(r.Cems, r.Reference))]))];
        var result = Cems.Linearity.ResultOf(levels);
        _linearity = new(due, 0, result == TestResult.Failed);

        // The level that decides: of the worst result the largest error.
        return (levels.Where(l => l.Result == result).Max(l => l.Error), result);
    }

    /// <summary>Judges a RATA. Its bias factor is that of the hours after this one.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="quarterEnd">End of the quarter that comes so many quarters after the one of the test.</param>
    /// <exception cref="EmissionRefusedException">The runs are too few or cannot be.</exception>
    public (RataResult Result, long? Due) Rata(IReadOnlyList<RataRun> runs, Func<int, long> quarterEnd)
    {
        var found = Cems.Rata.Judge(system, runs);
        if (found.Quarters is not null && found.BiasFactor > LargestBias)
        {
            throw new EmissionRefusedException($"A bias factor of {found.BiasFactor} cannot be: the reference is more than {LargestBias} times what the system shows. Look at the units of both columns.");
        }

        long? due = found.Quarters is { } quarters ? quarterEnd(quarters) : null;
        _rata = new(due, 0, due is null);
        _next = due is null ? null : found.BiasFactor;
        return (found, due);
    }

    /// <summary>Why the system is out of control in the hour of operation that ends; null when it is not, or its tests are not known.</summary>
    /// <param name="end">End of the hour.</param>
    public string? EndHour(long end)
    {
        _linearity.Count(end);
        _rata.Count(end);
        return _rata.IsFailed ? "the RATA failed"
            : _linearity.IsFailed ? "the linearity check failed"
            : _rata.Late > RataGraceHours ? "the RATA is overdue"
            : _linearity.Late > LinearityGraceHours ? "the linearity check is overdue"
            : null;
    }

    /// <summary>The next hour begins: a bias factor that was found in the one before holds.</summary>
    public void BeginHour() => (_bias, _next) = (_next ?? _bias, null);

    public void Save(StateWriter writer)
    {
        writer.Write(_bias);
        writer.Write(_next);
        _linearity.Save(writer);
        _rata.Save(writer);
    }

    public void Load(ref StateReader reader)
    {
        _bias = reader.ReadNullableDecimal();
        _next = reader.ReadNullableDecimal();
        _linearity = Test.Load(ref reader);
        _rata = Test.Load(ref reader);
    }

    /// <summary>The last test of a kind.</summary>
    private struct Test(long? due, int late, bool isFailed)
    {
        private readonly long? _due = due;

        /// <summary>Operating hours since the deadline.</summary>
        public int Late { get; private set; } = late;

        public bool IsFailed { get; } = isFailed;

        public void Count(long end) => Late = _due is { } due && end > due ? Math.Min(Late + 1, 1_000_000) : Late;

        public readonly void Save(StateWriter writer)
        {
            writer.Write(_due.HasValue);
            writer.Write(_due.GetValueOrDefault());
            writer.Write(Late);
            writer.Write(IsFailed);
        }

        public static Test Load(ref StateReader reader)
        {
            var has = reader.ReadBoolean();
            var due = reader.ReadInt64();
            return new(has ? due : null, reader.ReadInt32(), reader.ReadBoolean());
        }
    }
}
