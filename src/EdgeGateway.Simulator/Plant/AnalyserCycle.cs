using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Simulator.Plant;

/// <summary>The daily calibration of a stack's analyser: five minutes of zero gas, five of span gas, from two o'clock on in UTC; and what its status says of itself.</summary>
/// <remarks>
/// Only an analyser that the site's <c>cems</c> block describes has one, with the numbers and gases of that block. Gas reaches the cell as stack gas does, so that a
/// sensor that drifts shows it in the check.
/// </remarks>
internal sealed class AnalyserCycle
{
    private const long DaySeconds = 86_400;
    private const long Begin = 2 * 3_600;
    private const long LevelSeconds = 300;

    private readonly CemsModel _model;
    private readonly string _status;
    private readonly Dictionary<CemsState, long> _codes;

    private AnalyserCycle(CemsModel model, string status)
    {
        _model = model;
        _status = status;
        _codes = model.States.GroupBy(s => s.Value).ToDictionary(g => g.Key, g => g.Min(s => s.Key));
        var normal = 0L;
        while (model.States.ContainsKey(normal))
        {
            normal++;
        }

        _codes[CemsState.Normal] = normal;
    }

    /// <summary>The cycle of a device; null for one that has no stack, or whose status the site does not name.</summary>
    public static AnalyserCycle? Of(DeviceModel device) =>
        device.Cems is { } model && model.Points.TryGetValue("status", out var status) ? new(model, LocalName(device, status)) : null;

    /// <summary>What the analyser measures in a second.</summary>
    public static CemsState StateAt(long second, FaultSet faults)
    {
        if (faults[FaultKind.AnalyserFault] is not null)
        {
            return CemsState.Fault;
        }

        if (faults[FaultKind.AnalyserMaintenance] is not null)
        {
            return CemsState.Maintenance;
        }

        var at = (second % DaySeconds) - Begin;
        return faults[FaultKind.MissedCalibration] is not null || at is < 0 or >= 2 * LevelSeconds ? CemsState.Normal
            : at < LevelSeconds ? CemsState.ZeroGas : CemsState.SpanGas;
    }

    /// <summary>The number of the status point; null for other points.</summary>
    public double? StatusOf(PointModel point, CemsState state) =>
        point.Id != _status ? null : _codes.GetValueOrDefault(state, _codes[CemsState.Normal]);

    /// <summary>What the analyser reads of calibration gas in the unit of the point; null for other points, and while stack gas flows.</summary>
    public double? GasOf(PointModel point, CemsState state)
    {
        if (state is not (CemsState.ZeroGas or CemsState.SpanGas))
        {
            return null;
        }

        foreach (var gas in _model.Gases)
        {
            if (point.Role == $"gas.concentration.{(gas.IsFromOxygen ? "o2" : gas.Gas)}")
            {
                return (double?)(state == CemsState.ZeroGas ? gas.ZeroGas : gas.SpanGas);
            }
        }

        return null;
    }

    private static string LocalName(DeviceModel device, string name) =>
        name.StartsWith(device.Id + ".", StringComparison.Ordinal) ? name[(device.Id.Length + 1)..] : name;
}
