using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>A calibration check that a person enters.</summary>
/// <param name="Device">Id of the device whose stack it is.</param>
/// <param name="Gas">The gas.</param>
/// <param name="Level"><c>zero</c> or <c>span</c>.</param>
/// <param name="Reference">Value of the calibration gas, in the unit of the gas.</param>
/// <param name="Measured">What the analyser read.</param>
/// <param name="Who">Who enters it.</param>
public sealed record CalibrationOrder(string Device, string Gas, string Level, decimal Reference, decimal Measured, string Who);

/// <summary>A linearity check or a relative accuracy test audit (RATA) that a person enters.</summary>
/// <param name="Device">Id of the device whose stack it is.</param>
/// <param name="Quantity">A gas, <c>flow</c> or <c>moisture</c>.</param>
/// <param name="Kind"><c>linearity</c> or <c>rata</c>.</param>
/// <param name="Runs">Reading and reference of each run, or of each injection: three of each of three gases.</param>
/// <param name="Who">Who enters it.</param>
public sealed record AuditOrder(string Device, string Quantity, string Kind, IReadOnlyList<RataRun> Runs, string Who);

/// <summary>The stacks of the site.</summary>
public sealed class CemsBook
{
    /// <summary>Version of the state that is written; earlier ones are read too.</summary>
    internal const int StateVersion = 3;

    /// <summary>Version that the program before reads: it is written too, so that what waits goes on when an upgrade is rolled back.</summary>
    internal const int StateVersionBefore = 2;

    private readonly IFeedSink _sink;
    private readonly CemsStation[] _stations;
    private readonly List<(CemsStation Station, int Slot)>?[] _byPoint;

    internal CemsBook(SiteModel site, IFeedSink sink)
    {
        _sink = sink;
        _stations = [.. site.Devices.Where(d => d.Cems is not null).Select(d => new CemsStation(site, d, sink))];
        _byPoint = new List<(CemsStation, int)>?[site.Points.Count];
        foreach (var station in _stations)
        {
            foreach (var (point, slot) in station.Slots)
            {
                (_byPoint[point.Index] ??= []).Add((station, slot));
            }
        }
    }

    /// <summary>Whether the site has no stack.</summary>
    public bool IsEmpty => _stations.Length == 0;

    /// <summary>Takes a calibration check that a person enters. It is no input of the sample log: a checkpoint must follow before anything is replayed.</summary>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    public string? Enter(CalibrationOrder order, Instant now)
    {
        ArgumentNullException.ThrowIfNull(order);
        if (Array.Find(_stations, s => s.Device.Id == order.Device) is not { } station)
        {
            return NoStack(order.Device);
        }

        if (order.Level is not ("zero" or "span"))
        {
            return $"There is no level '{order.Level}'. Levels: zero, span.";
        }

        try
        {
            return station.Enter(order.Gas, order.Level, order.Reference, order.Measured, now.UnixMilliseconds, order.Who) is null
                ? $"The stack '{order.Device}' has no gas '{order.Gas}' with a span. Gases: {string.Join(", ", station.Device.Cems!.Gases.Where(g => g.Span is not null).Select(g => g.Gas))}."
                : null;
        }
        catch (EmissionRefusedException e)
        {
            return e.Message;
        }
    }

    /// <summary>Takes a linearity check or a RATA that a person enters; as <see cref="Enter"/> it is no input of the sample log.</summary>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    public string? EnterAudit(AuditOrder order, Instant now)
    {
        ArgumentNullException.ThrowIfNull(order);
        if (Array.Find(_stations, s => s.Device.Id == order.Device) is not { } station)
        {
            return NoStack(order.Device);
        }

        if (order.Kind is not ("linearity" or "rata"))
        {
            return $"There is no test '{order.Kind}'. Tests: linearity, rata.";
        }

        try
        {
            return station.Enter(order, now.UnixMilliseconds) is null
                ? $"The stack '{order.Device}' has no quantity '{order.Quantity}'. It has {string.Join(", ", station.Device.Cems!.Gases.Select(g => g.Gas))}, flow and, where it is measured, moisture."
                : null;
        }
        catch (EmissionRefusedException e)
        {
            return e.Message;
        }
    }

    /// <summary>The stacks that a point is a part of, and what it gives them.</summary>
    internal IReadOnlyList<(CemsStation Station, int Slot)> Of(int point) => _byPoint[point] ?? [];

    internal void Open(long time)
    {
        foreach (var station in _stations)
        {
            station.Open(time);
        }
    }

    internal void CloseUpTo(long limit, int era)
    {
        foreach (var station in _stations)
        {
            station.CloseUpTo(limit, era);
        }
    }

    internal void Cut(long time, int era, WindowCut cut)
    {
        foreach (var station in _stations)
        {
            station.Cut(time, era, cut);
        }
    }

    internal void Forget()
    {
        foreach (var station in _stations)
        {
            station.Forget();
        }
    }

    /// <summary>Says what ends with the configuration: findings, and hours that wait for a missing period which the next configuration cannot end.</summary>
    /// <param name="time">Unix milliseconds.</param>
    /// <param name="next">The configuration that follows; null when none does.</param>
    internal void End(long time, SiteModel? next)
    {
        foreach (var station in _stations)
        {
            station.EndFindings(time);
            if (next?.Devices.FirstOrDefault(d => d.Id == station.Device.Id && d.Cems is not null) is not { } device || new CemsStation(next, device, _sink).Layout != station.Layout)
            {
                station.EndWaiting();
            }
        }
    }

    internal void Shift(long milliseconds)
    {
        foreach (var station in _stations)
        {
            station.Shift(milliseconds);
        }
    }

    /// <summary>Writes the state as a version has it: <see cref="StateVersion"/>, or <see cref="StateVersionBefore"/> for the program before.</summary>
    internal void Save(StateWriter writer, int version)
    {
        foreach (var station in _stations)
        {
            station.Save(writer, version);
        }
    }

    internal void Load(ref StateReader reader, int version)
    {
        foreach (var station in _stations)
        {
            station.Load(ref reader, version);
        }
    }

    /// <summary>Writes what outlives a change of configuration, by device.</summary>
    /// <param name="writer">Receives it.</param>
    /// <param name="scratch">Used and left with nothing of value.</param>
    /// <param name="version">As <see cref="Save"/> has it.</param>
    internal void SaveLasting(StateWriter writer, StateWriter scratch, int version)
    {
        writer.Write(_stations.Length);
        foreach (var station in _stations)
        {
            writer.Write(station.Device.Id);
            writer.Write(station.Layout);
            scratch.Clear();
            station.SaveLasting(scratch, version);
            writer.Write(scratch.Written.Span);
        }
    }

    /// <summary>Reads what <see cref="SaveLasting"/> wrote. A stack that is gone, or is accounted by other rules or from other gases, begins anew.</summary>
    internal void LoadLasting(ref StateReader reader, int version)
    {
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var device = reader.ReadString();
            var layout = reader.ReadString();
            var state = new StateReader(reader.ReadBytes());
            if (Array.Find(_stations, s => s.Device.Id == device) is { } station && station.Layout == layout)
            {
                station.LoadLasting(ref state, version);
            }
        }
    }

    private string NoStack(string device) =>
        IsEmpty ? "No device of this site has a 'cems' block." : $"There is no stack '{device}'. Stacks: {string.Join(", ", _stations.Select(s => s.Device.Id))}.";
}
