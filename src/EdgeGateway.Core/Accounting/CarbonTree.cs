using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>One entry that goes into a sum.</summary>
/// <param name="Account">Place of its account.</param>
/// <param name="Sign">1 when it is added, -1 when it is taken away.</param>
/// <param name="PricedBy">Place of the account whose factor gives it a mass: what flows back through a tie is energy sold in its own entry. -1 for none.</param>
internal readonly record struct SumPart(int Account, int Sign, int PricedBy = -1);

/// <summary>Which entries make the remainders of meters and the totals of areas, so that no energy counts twice. It is the same for every interval.</summary>
/// <remarks>
/// Remainder of a meter: what it brought and what ties bring behind it, less what its children and ties take, plus own generation behind it. Total of an area: what crosses
/// its boundary inwards less what crosses it outwards; what flows within is in neither. A meter without an area is in that of the meter in front of it. So all areas together,
/// with the meters that are in none, are the site's total.
/// </remarks>
internal sealed class CarbonTree
{
    private readonly SiteModel _site;
    private readonly IReadOnlyList<CarbonAccount> _accounts;
    private readonly Dictionary<string, DeviceModel> _byId;

    public CarbonTree(SiteModel site, IReadOnlyList<CarbonAccount> accounts)
    {
        (_site, _accounts) = (site, accounts);
        _byId = site.Devices.GroupBy(d => d.Id).ToDictionary(g => g.Key, g => g.First());
        Remainders = [.. FindRemainders()];
        Areas = FindAreas();
    }

    /// <summary>Parents and what makes their remainder, the parent first.</summary>
    public IReadOnlyList<(int Parent, SumPart[] Parts)> Remainders { get; }

    /// <summary>Areas and what makes their total of bought energy.</summary>
    public IReadOnlyList<(string Area, SumPart[] Parts)> Areas { get; }

    /// <summary>The area of a device, or of the nearest meter in front of it that has one.</summary>
    public string? AreaOf(DeviceModel device)
    {
        // A circle is refused by the configuration check; a tree of tests may have one.
        var (at, left) = (device, _byId.Count);
        while (at.Area is null && left-- > 0 && at.Metering?.Parent is { } parent && _byId.TryGetValue(parent, out var above))
        {
            at = above;
        }

        return at.Area;
    }

    private IEnumerable<(int Parent, SumPart[] Parts)> FindRemainders()
    {
        foreach (var device in _site.Devices)
        {
            var parent = PurchaseOf(device);
            if (parent < 0)
            {
                continue;
            }

            var parts = new List<SumPart> { new(parent, 1) };
            for (var i = 0; i < _accounts.Count; i++)
            {
                var metering = _accounts[i].Device.Metering;
                if (!_accounts[i].Method.NeedsGridFactor)
                {
                    continue;
                }

                if (metering?.Parent == device.Id)
                {
                    // Own generation feeds the same busbar: its energy is added to what the parent brought, its mass is zero.
                    Add(parts, i, _accounts[i].IsPurchase ? -1 : 1);
                }

                if (metering is { Role: MeterRole.Transfer, To: { } to } && to == device.Id)
                {
                    Add(parts, i, 1);
                }
            }

            if (parts.Count > 1)
            {
                yield return (parent, [.. parts]);
            }
        }
    }

    private List<(string Area, SumPart[] Parts)> FindAreas()
    {
        var areas = new SortedDictionary<string, List<SumPart>>(StringComparer.Ordinal);
        for (var i = 0; i < _accounts.Count; i++)
        {
            var (account, device) = (_accounts[i], _accounts[i].Device);
            if (!account.Method.NeedsGridFactor || !IsCounted(device))
            {
                continue;
            }

            // Energy that counts toward the site comes from outside of all areas, whatever is drawn in front of it.
            var above = device.Metering!.CountsTowardSite ? null : device.Metering.Parent is { } parent ? _byId.GetValueOrDefault(parent) : null;
            var (from, into) = (above is null ? null : AreaOf(above), AreaOf(device));
            if (!account.IsPurchase)
            {
                // Generation feeds the busbar it is connected to.
                (from, into) = (null, from ?? into);
            }
            else if (device.Metering.Role == MeterRole.Transfer)
            {
                into = device.Metering.To is { } to && _byId.TryGetValue(to, out var behind) ? AreaOf(behind) : null;
            }

            if (from != into)
            {
                Put(from, i, -1);
                Put(into, i, 1);
            }
        }

        return [.. areas.Select(a => (a.Key, a.Value.ToArray()))];

        void Put(string? area, int account, int sign)
        {
            if (area is not null)
            {
                Add(areas.TryGetValue(area, out var parts) ? parts : areas[area] = [], account, sign);
            }
        }
    }

    /// <summary>True when the meter or one in front of it counts toward the site.</summary>
    private bool IsCounted(DeviceModel device)
    {
        var (at, left) = (device, _byId.Count);
        while (at.Metering is { CountsTowardSite: false, Parent: { } parent } && left-- > 0 && _byId.TryGetValue(parent, out var above))
        {
            at = above;
        }

        return at.Metering?.CountsTowardSite == true;
    }

    private int PurchaseOf(DeviceModel device)
    {
        for (var i = 0; i < _accounts.Count; i++)
        {
            if (_accounts[i].Device == device && _accounts[i].IsPurchase)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Adds a meter's entry; of a tie also what it let flow back, at the factor of what it brought.</summary>
    private void Add(List<SumPart> parts, int account, int sign)
    {
        parts.Add(new(account, sign));
        if (_accounts[account].Device is not { Metering.Role: MeterRole.Transfer } tie)
        {
            return;
        }

        for (var i = 0; i < _accounts.Count; i++)
        {
            if (_accounts[i].Device == tie && _accounts[i].Method.Name == ElectricitySold.MethodName)
            {
                parts.Add(new(i, -sign, account));
            }
        }
    }
}
