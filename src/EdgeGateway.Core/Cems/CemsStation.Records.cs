using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Cems;

/// <content>What is said of an hour: its record, its mass, and the entry in the carbon account.</content>
internal sealed partial class CemsStation
{
    private void Publish(CemsHour hour, bool isFinal)
    {
        var quantities = new List<CemsQuantity>(hour.Entries.Length);
        decimal? carbon = null;
        string? why = null;
        var isSubstituted = false;
        for (var q = 0; q < hour.Entries.Length; q++)
        {
            ref var entry = ref hour.Entries[q];
            var kilograms = isFinal && q < _gases.Length ? Mass(q, hour, ref entry) : null;
            if (q < _gases.Length && _model.Gases[q].Gas == "co2")
            {
                carbon = kilograms;
                why = entry.Note ?? entry.Rule;
            }

            isSubstituted |= entry.Rule is not null && (q >= _gases.Length || _model.Gases[q].Gas == "co2");
            quantities.Add(new()
            {
                Name = NameOf(q),
                Unit = UnitOf(q),
                Value = entry.Value,
                IsValid = entry.IsValid,
                Flag = entry.Flag,
                Points = entry.Points,
                Calibration = entry.Calibration,
                AvailabilityPercent = entry.Availability,
                Rule = entry.Rule,
                Modc = entry.Modc,
                Lookback = entry.Lookback,
                MissingHours = entry.Missing,
                Corrected = entry.Corrected,
                Kilograms = kilograms,
                Coverage = entry.Coverage,
                Note = entry.Note,
            });
        }

        _sink.CemsHour(new()
        {
            Device = Device.Index,
            Start = new(hour.Start),
            Width = TimeSpan.FromMilliseconds(hour.Width),
            Era = hour.Era,
            Cut = hour.Cut,
            Rules = _model.Rules,
            Revision = ++hour.Revision,
            IsFinal = isFinal,
            OperatingTime = hour.OperatingTime,
            OxygenPercent = hour.OxygenPercent,
            Quantities = quantities,
        });
        if (isFinal && _model.Gases.Any(g => g.Gas == "co2"))
        {
            // A unit that stands emits nothing, and that is known: without an entry its hour would be missing from the account.
            Account(hour, quantities, hour.OperatingTime == 0 ? 0 : carbon, why, isSubstituted);
        }
    }

    /// <summary>kg of the hour by the rules; null where the rules give none or something is missing, which the note says.</summary>
    private decimal? Mass(int q, CemsHour hour, ref CemsEntry entry)
    {
        try
        {
            switch (_model.Rules)
            {
                case CemsRules.Hj75:
                    return entry.Rate * hour.OperatingTime;
                case CemsRules.EuMrr:
                    if (hour.Entries[_flow].Value is not { } dry)
                    {
                        entry.Note ??= "the flow is missing, and these rules have no substitute for it: use a mass or energy balance";
                        return null;
                    }

                    return entry.Value is { } value ? Rate(q, value, dry) * hour.OperatingTime : null;
                default:
                    return entry.Value is not { } gas || hour.Entries[_flow].Value is not { } scfh ? null
                        : _model.Gases[q].Gas == "co2" ? Tons(q, gas, scfh, hour) * Part75.KilogramsPerTon
                        : Pounds(q, gas, scfh, hour, ref entry) * Part75.KilogramsPerPound;
            }
        }
        catch (EmissionRefusedException e)
        {
            entry.Note ??= e.Message;
            return null;
        }
    }

    private decimal? Pounds(int q, decimal value, decimal scfh, CemsHour hour, ref CemsEntry entry)
    {
        var gas = _model.Gases[q];
        if (_gases[q].Dimension != Dimension.VolumeFraction)
        {
            entry.Note ??= $"{gas.Gas} is in mg/m3; its mass under Part 75 is made from ppm";
            return null;
        }

        var moisture = _moisture >= 0 ? hour.Entries[_moisture].Value : _model.MoisturePercent;
        return Part75.Pounds(gas.Gas == "so2" ? Part75.PoundsPerScfPpmSo2 : Part75.PoundsPerScfPpmNox, value, scfh, hour.OperatingTime, gas.IsWet, moisture);
    }

    private decimal Tons(int q, decimal value, decimal scfh, CemsHour hour)
    {
        var gas = _model.Gases[q];
        var moisture = _moisture >= 0 ? hour.Entries[_moisture].Value : _model.MoisturePercent;
        var co2 = !gas.IsFromOxygen ? value
            : gas.IsWet ? Part75.Co2FromWetOxygen(value, _fuel!.Fc, _fuel.Fd, moisture)
            : Part75.Co2FromDryOxygen(value, _fuel!.Fc, _fuel.Fd);
        return (gas.IsWet ? Part75.MassWet(co2, scfh, hour.OperatingTime) : Part75.MassDry(co2, scfh, hour.OperatingTime, moisture)).Tons;
    }

    /// <summary>Enters the CO2 of a final hour into the carbon account: once, and for all of it that was watched.</summary>
    private void Account(CemsHour hour, List<CemsQuantity> quantities, decimal? kilograms, string? why, bool isSubstituted)
    {
        // An hour that is stated again leaves the chain of remainders as it is: what followed it has its own.
        var isFirst = hour.Entered++ == 0;
        var carried = hour.Carried = isFirst ? _carried : hour.Carried;
        var sum = ((kilograms ?? 0) * 1_000_000) + carried;
        var whole = Math.Min(decimal.Truncate(sum), long.MaxValue);
        _carried = isFirst ? sum - whole : _carried;
        _sink.Emission(new()
        {
            Device = Device.Index,
            Account = EmissionAccount.Device,
            Start = new(hour.Start),
            Width = TimeSpan.FromMilliseconds(hour.Width),
            Era = hour.Era,
            Method = StackMethods.NameOf(_model.Rules),
            Scope = 1,
            ActivityKWh = 0,
            Milligrams = (long)whole,
            FactorId = "none",
            FactorKgPerKWh = 0,
            FactorNote = kilograms is null ? $"not known: {why ?? "something that the mass needs is missing"}" : isSubstituted ? StackMethods.SubstitutedNote : null,
            UncertaintyPercent = kilograms is null ? double.NaN : _model.UncertaintyPercent,

            // What stands in was not heard from the stack.
            Coverage = kilograms is null || isSubstituted ? 0 : Heard(hour),
            CountsTowardSite = false,
            Allocated = false,
            Cut = hour.Cut,
            Carried = carried,
            Detail = new(kilograms ?? 0, "kg", 1, "CO2", null, null)
            {
                Stack = new(hour.OperatingTime, [.. quantities.Select(q => new StackQuantity(q.Name, q.IsValid, q.Flag, q.Rule, q.AvailabilityPercent, q.Kilograms))]) { Revision = hour.Entered },
            },
        });
    }

    /// <summary>The share of the hour in which all that its CO2 is made from was heard.</summary>
    private double Heard(CemsHour hour)
    {
        var least = hour.OperatingTime == 0 ? hour.StoodHeard : 1.0;
        for (var q = 0; q < hour.Entries.Length; q++)
        {
            least = q >= _gases.Length || _model.Gases[q].Gas == "co2" ? Math.Min(least, hour.Entries[q].Coverage) : least;
        }

        return least;
    }

    private string NameOf(int q) => q == _flow ? "flow" : q == _moisture ? "moisture" : _model.Gases[q].Gas;

    private string UnitOf(int q) =>
        q == _flow ? _model.Rules == CemsRules.Part75 ? "[ft3_i]/h" : "m3/h"
        : q == _moisture || _model.Gases[q].Gas == "co2" ? "%{vol}"
        : _model.Rules == CemsRules.Part75 && _gases[q].Dimension == Dimension.VolumeFraction ? "[ppm]"
        : "mg/m3";
}
