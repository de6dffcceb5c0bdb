using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// The mass balance of a year, which a site declares when the year is over (<see cref="SulfurHexafluoride.MassBalance"/>): one entry, as wide as the year. Figures that are
/// corrected later make an entry of the difference, so that the sum is always what is declared now.
/// </summary>
internal sealed class DeclaredBalance
{
    private readonly CarbonModel _use;
    private readonly EmissionRate _rate;
    private readonly decimal _kilograms;
    private readonly long _milligrams;
    private readonly double _percent;

    /// <exception cref="ArgumentException">A figure is negative, or the factor set has no such GWP.</exception>
    public DeclaredBalance(DeviceModel device, CarbonModel use, FactorSet factors)
    {
        Device = device;
        _use = use;
        var b = use.Balance!;
        try
        {
            _rate = EmissionMethods.ByName[use.Method].Rate(use, factors, device.Region, b.From) ?? throw new ArgumentException($"{device.Id}: {use.Method} has no factor");
            var own = double.IsNaN(use.ActivityPercent) ? 0 : use.ActivityPercent;
            var mass = SulfurHexafluoride.MassBalance(
                new(b.Begin, own), new(b.End, own), new(b.Acquired, own), new(b.Disbursed, own), new(b.CapacityGrowth, own), new(_rate.GwpSet, _rate.Gas, _rate.KgCo2e));
            (_kilograms, _milligrams, _percent) = (mass.Kilograms.Value, mass.Milligrams, double.IsNaN(use.ActivityPercent) ? double.NaN : mass.Kilograms.UncertaintyPercent);
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"{device.Id}: the mass is more than can be computed; the figures are kg", e);
        }
        catch (EmissionRefusedException e)
        {
            throw new ArgumentException($"{device.Id}: {e.Message}", e);
        }
    }

    public DeviceModel Device { get; }

    /// <summary>Names the year among all balances, also over changes of the configuration.</summary>
    public string Key => Ledger.EnteredBefore.KeyOf(Device.Id, _use.Method, _use.Balance!.From);

    /// <summary>True when its entry belongs into the site's total.</summary>
    public bool CountsTowardSite => _use.CountsTowardSite;

    /// <summary>The entry that is due, or null.</summary>
    /// <param name="now">Begin of the interval that is open: a year that is not over has no balance yet.</param>
    /// <param name="entered">What has been entered before, milligrams; null for nothing.</param>
    /// <param name="era">Clock era.</param>
    public EmissionRecord? Due(Instant now, long? entered, int era)
    {
        var balance = _use.Balance!;
        if (now < balance.To || entered == _milligrams)
        {
            return null;
        }

        var note = _kilograms < 0 ? string.Create(CultureInfo.InvariantCulture, $"the balance of {_kilograms:0.######} kg is below zero: one of its figures is wrong") : null;
        if (entered is { } before)
        {
            var correction = string.Create(CultureInfo.InvariantCulture, $"correction: {_milligrams} mg by the figures declared now, {before} mg entered before");
            note = note is null ? correction : $"{correction}; {note}";
        }

        var mass = _milligrams - (entered ?? 0);
        return new EmissionRecord
        {
            Device = Device.Index,
            Account = EmissionAccount.Device,
            Start = balance.From,
            Width = balance.To - balance.From,
            Era = era,
            Method = _use.Method,
            Scope = 1,
            ActivityKWh = 0,
            Milligrams = mass,
            FactorId = _rate.FactorId,
            FactorKgPerKWh = 0,
            FactorNote = note ?? _rate.Note,
            UncertaintyPercent = _percent,
            Coverage = 1,
            CountsTowardSite = _use.CountsTowardSite,

            // Known for the year, not when in the year it was lost.
            Allocated = true,
            Detail = new(mass / (_rate.KgCo2e * 1_000_000m), "kg", _rate.KgCo2e, _rate.Gas, _rate.GwpSet, null),
        };
    }
}
