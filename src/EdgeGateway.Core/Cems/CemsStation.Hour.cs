using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Cems;

/// <content>What an hour has measured: validity, flags, concentrations and flow.</content>
internal sealed partial class CemsStation
{
    /// <summary>Makes the measured hour: values, validity, flags.</summary>
    private CemsHour Measure(long end, int era, WindowCut cut, decimal operating, CalibrationStatus?[] statuses)
    {
        var entries = new CemsEntry[_tracks.Length];
        var oxygenChannel = this[CemsInput.Oxygen];
        var moistureChannel = this[CemsInput.Moisture];
        var moisture = moistureChannel is not null && moistureChannel.IsValid(_model.Rules, _operatingMs) ? moistureChannel.Mean(_model.Rules) : null;
        if (_moisture >= 0)
        {
            entries[_moisture] = Entry(moistureChannel!, moisture?.To(1), null);
        }

        // A measured moisture that fails is not replaced by a default: it is missing, and substituted where the rules have a substitute.
        var known = moistureChannel is null ? _model.MoisturePercent : moisture;
        var oxygen = oxygenChannel is not null && oxygenChannel.IsValid(_model.Rules, _operatingMs) ? oxygenChannel.Mean(_model.Rules) : null;
        entries[_flow] = Flow(known);
        var flow = entries[_flow].Value;
        for (var i = 0; i < _gases.Length; i++)
        {
            entries[i] = Gas(i, statuses[i], known);
            if (entries[i].IsValid && _permits[i] is not null)
            {
                entries[i].Corrected = Correct(i, _gases[i].Mean(_model.Rules), oxygen, known, out var why)?.To(6);
                entries[i].Note ??= why;
            }

            if (_model.Rules == CemsRules.Hj75)
            {
                try
                {
                    entries[i].Rate = entries[i].Value is { } value && flow is { } dry ? Rate(i, value, dry) : null;
                    CemsLimits.RequireQuantity(entries[i].Rate ?? 0, "The emission rate");
                }
                catch (EmissionRefusedException e)
                {
                    // Readings that are each possible, and not together: more than all of the gas, say.
                    (entries[i].Value, entries[i].Rate, entries[i].IsValid, entries[i].Flag, entries[i].Note) = (null, null, false, CemsFlag.Fault, e.Message);
                }

                if (entries[i].Rate is null)
                {
                    entries[i].Note ??= entries[_flow].Note ?? (flow is null ? "the flow is missing" : null);
                }
            }
        }

        decimal? dryOxygen = null;
        try
        {
            dryOxygen = oxygen is { } wet && _model.IsOxygenWet ? FlueGas.Dry(wet, known).To(6) : oxygen;
        }
        catch (EmissionRefusedException)
        {
            // Said where it is needed.
        }

        SetCoverage(entries, end);
        Audit(entries, end);
        return new()
        {
            Start = _from,
            Width = end - _from,
            Era = era,
            Cut = cut,
            OperatingTime = operating,
            Bin = Bin(),
            OxygenPercent = dryOxygen,
            Entries = entries,
        };
    }

    /// <summary>Takes out what a linearity check or a RATA, failed or overdue, puts out of control.</summary>
    private void Audit(CemsEntry[] entries, long end)
    {
        for (var q = 0; q < entries.Length; q++)
        {
            if (_audits[q].EndHour(end) is { } why && entries[q].IsValid)
            {
                (entries[q].Value, entries[q].IsValid, entries[q].Corrected, entries[q].Flag, entries[q].Note) = (null, false, null, CemsFlag.Fault, why);
            }
        }
    }

    /// <summary>How much of the time each quantity was heard: the flow as its least-heard part.</summary>
    private void SetCoverage(CemsEntry[] entries, long end)
    {
        for (var i = 0; i < _gases.Length; i++)
        {
            entries[i].Coverage = _gases[i].EndCoverage(_from, end);
        }

        var flow = 1.0;
        foreach (var input in (ReadOnlySpan<CemsInput>)[this[CemsInput.Flow] is null ? CemsInput.Velocity : CemsInput.Flow, CemsInput.Temperature, CemsInput.Pressure])
        {
            flow = this[input] is { } channel ? Math.Min(flow, channel.EndCoverage(_from, end)) : flow;
        }

        // What makes wet of dry gas and dry of wet, where it is measured, goes with the flow.
        if (this[CemsInput.Moisture] is { } moisture)
        {
            var heard = moisture.EndCoverage(_from, end);
            if (_moisture >= 0)
            {
                entries[_moisture].Coverage = heard;
            }
            else
            {
                flow = Math.Min(flow, heard);
            }
        }

        entries[_flow].Coverage = flow;
    }

    private CemsEntry Entry(CemsChannel channel, decimal? value, CalibrationStatus? status)
    {
        var isValid = channel.IsValid(_model.Rules, _operatingMs);
        var inControl = status?.IsInControl() ?? true;
        return new()
        {
            IsValid = isValid && inControl && value is not null,
            Value = isValid && inControl ? value : null,
            Flag = isValid && inControl ? CemsFlag.Normal : isValid ? CemsFlag.Fault : channel.Worst(),
            Points = _model.Rules == CemsRules.Hj75 ? channel.Minutes : channel.Count,
            Calibration = status,
        };
    }

    /// <summary>A gas of the hour: as the analyser states it under Part 75, else dry and standard.</summary>
    private CemsEntry Gas(int i, CalibrationStatus? status, decimal? moisture)
    {
        var gas = _model.Gases[i];
        var channel = _gases[i];
        var entry = Entry(channel, channel.Mean(_model.Rules), status);
        if (!entry.IsValid)
        {
            return entry;
        }

        try
        {
            entry.Value = _model.Rules != CemsRules.Part75 ? DryStandard(i, entry.Value!.Value, moisture).To(6)
                : gas.Gas is "so2" or "nox" ? Rata.Adjust(gas.Gas == "so2" ? RataSystem.So2 : RataSystem.Nox, Positive(entry.Value!.Value), _audits[i].Bias)
                : Positive(entry.Value!.Value).To(1);
        }
        catch (EmissionRefusedException e)
        {
            (entry.Value, entry.IsValid, entry.Flag, entry.Note) = (null, false, CemsFlag.Fault, e.Message);
        }

        return entry;
    }

    private CemsEntry Flow(decimal? moisture)
    {
        var isVelocity = this[CemsInput.Flow] is null;
        var channel = this[CemsInput.Flow] ?? this[CemsInput.Velocity]!;
        var entry = Entry(channel, channel.Mean(_model.Rules), null);
        foreach (var other in (ReadOnlySpan<CemsInput>)[CemsInput.Temperature, CemsInput.Pressure])
        {
            if (this[other] is { } beside && !beside.IsValid(_model.Rules, _operatingMs))
            {
                return entry with { Value = null, IsValid = false, Flag = entry.IsValid ? beside.Worst() : entry.Flag, Note = $"the {other.Word()} of the gas is missing" };
            }
        }

        if (!entry.IsValid)
        {
            return entry;
        }

        try
        {
            var measured = Positive(entry.Value!.Value);
            var actual = isVelocity ? FlueGas.ActualFlow(_model.SquareMetres!.Value, measured, _model.VelocityCoefficient) : measured;
            var celsius = this[CemsInput.Temperature]!.Mean(_model.Rules)!.Value;
            var below = this[CemsInput.Pressure]?.Mean(_model.Rules) ?? 0;
            entry.Value = _model.Rules switch
            {
                CemsRules.Part75 => Rata.Adjust(RataSystem.Flow, Part75.StandardFlow(actual, celsius, _model.AmbientPascal + below), _audits[_flow].Bias),
                CemsRules.Hj75 => FlueGas.StandardDryFlow(actual, celsius, _model.AmbientPascal, below, moisture).To(6),
                _ => EuMonitoring.NormalDryFlow(actual, celsius, _model.AmbientPascal + below, moisture).To(6),
            };
        }
        catch (EmissionRefusedException e)
        {
            (entry.Value, entry.IsValid, entry.Flag, entry.Note) = (null, false, CemsFlag.Fault, e.Message);
        }

        return entry;
    }

    // Zero drift makes an analyser read a little below nothing; a mass below nothing there is not.
    private static decimal Positive(decimal value) => Math.Max(0, value);

    /// <summary>A concentration on the dry basis at standard conditions: percent for CO2, else mg/m3.</summary>
    private decimal DryStandard(int i, decimal value, decimal? moisture)
    {
        var gas = _model.Gases[i];
        var number = Positive(value);
        if (gas.Gas != "co2" && _gases[i].Dimension == Dimension.VolumeFraction)
        {
            number = FlueGas.FromPpm(number, CemsWords.MolarMasses[gas.Gas]);
        }
        else if (gas.IsActual && gas.Gas != "co2")
        {
            var celsius = this[CemsInput.Temperature]!.Mean(_model.Rules)
                ?? throw new EmissionRefusedException($"The temperature of the gas is missing: {gas.Gas} is stated at the conditions of the stack and cannot be brought to standard ones.");
            number = FlueGas.StandardConcentration(number, _model.AmbientPascal, this[CemsInput.Pressure]?.Mean(_model.Rules) ?? 0, celsius);
        }

        return gas.IsWet ? FlueGas.Dry(number, moisture) : number;
    }

    /// <summary>A concentration at reference oxygen; null where one of both is missing or cannot be, and why.</summary>
    private decimal? Correct(int i, decimal? value, decimal? oxygen, decimal? moisture, out string? why)
    {
        why = null;
        var gas = _model.Gases[i];
        if (value is not { } measured)
        {
            return null;
        }

        try
        {
            var dry = DryStandard(i, measured, moisture ?? (this[CemsInput.Moisture] is null ? _model.MoisturePercent : null));
            if (gas.ReferenceOxygen is not { } reference)
            {
                return dry;
            }

            if (oxygen is not { } o2)
            {
                why = "not at reference oxygen: the oxygen is missing";
                return null;
            }

            return FlueGas.AtReferenceOxygen(dry, _model.IsOxygenWet ? FlueGas.Dry(Positive(o2), moisture) : Positive(o2), reference);
        }
        catch (EmissionRefusedException e)
        {
            why = e.Message;
            return null;
        }
    }

    /// <summary>kg/h of a dry standard concentration.</summary>
    private decimal Rate(int i, decimal value, decimal flow) =>
        (_model.Gases[i].Gas == "co2" ? FlueGas.Co2MassRate(value, flow) : FlueGas.MassRate(value, flow)).To(6);

    private int Bin()
    {
        if (_model.FullLoad is not { } full || _loadMs == 0)
        {
            return 0;
        }

        return (int)Math.Clamp(_loadSum / _loadMs / full * 10, 0, 9);
    }
}
