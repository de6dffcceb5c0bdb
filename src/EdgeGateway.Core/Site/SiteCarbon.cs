using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves the carbon accounts that a site declares for a device.</summary>
internal static class SiteCarbon
{
    private static readonly string[] PointKeys = ["activity", "flow", "methane", "temperature", "pressure", "density", "flared", "used", "power"];

    /// <param name="device">The device.</param>
    /// <param name="zone">The zone in which years begin.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static IReadOnlyList<CarbonModel> Resolve(Section device, TimeZoneInfo zone, ProblemCollector problems)
    {
        var accounts = new List<CarbonModel>();
        foreach (var entry in device.List("carbon").OfType<YamlMap>())
        {
            if (GatewayShape.Carbon.Choose(entry) is not { } shape)
            {
                continue; // Reported by the shape.
            }

            var section = new Section(entry, shape, entry);
            var method = section.Text("method")!;
            if (method != SulfurHexafluoride.Balance && accounts.Exists(a => a.Method == method))
            {
                problems.Error(entry, $"the device has two accounts by {method}, and their entries could not be told apart", "Remove one; a second one needs a device of its own");
                continue;
            }

            var account = Read(section, shape, method, zone, problems);
            if (account.Balance is { } balance && accounts.Exists(a => a.Balance?.From == balance.From))
            {
                problems.Error(entry, $"the year {section.Integer("year")} has two mass balances", "Remove one; corrected figures take the place of the old ones");
                continue;
            }

            accounts.Add(account);
            if (method == MineMethane.Drainage)
            {
                // What burns is another gas: it has entries of its own.
                accounts.Add(account with { Method = MineMethane.Destruction, GwpSet = null, Gas = null });
            }
        }

        return accounts;
    }

    /// <summary>Asks the accounts themselves, so that what passes here can be made.</summary>
    public static void Check(SiteModel model, IReadOnlyList<PlacedDevice> devices, FactorSet factors, ProblemCollector problems)
    {
        var registers = new HashSet<PointModel>();
        foreach (var device in devices)
        {
            foreach (var use in device.Model.Carbon)
            {
                var place = PlaceOf(device, use);
                try
                {
                    if (use.Balance is not null)
                    {
                        _ = new DeclaredBalance(device.Model, use, factors);
                    }
                    else if (new CarbonAccount(model, device.Model, use, factors) is { IsMarket: false, Counter: { } counter } && !registers.Add(counter))
                    {
                        problems.Error(place, $"'{counter.Id}' is accounted twice", "Name another register, or remove one of the accounts");
                    }
                }
                catch (ArgumentException e)
                {
                    problems.Error(place, $"the account by {use.Method} cannot be made: {e.Message.TrimEnd('.')}", "Correct its points, fuel or factor; docs/methods.md says what each method needs");
                }
            }
        }

        CheckGwpSets(devices, problems);
        CheckTwice(devices, problems);
    }

    /// <summary>Masses by different GWP sets are never added, so a total cannot hold both.</summary>
    private static void CheckGwpSets(IReadOnlyList<PlacedDevice> devices, ProblemCollector problems)
    {
        (PlacedDevice Device, CarbonModel Use)? first = null;
        foreach (var device in devices)
        {
            foreach (var use in device.Model.Carbon.Where(u => u.CountsTowardSite && u.GwpSet is not null))
            {
                if (first is { } other && other.Use.GwpSet != use.GwpSet)
                {
                    problems.Error(
                        PlaceOf(device, use),
                        $"'{device.Model.Id}' accounts {use.Method} by the GWP set {use.GwpSet}, '{other.Device.Model.Id}' accounts {other.Use.Method} by {other.Use.GwpSet}: the site's total cannot add them",
                        $"Write 'gwp: {other.Use.GwpSet}', or 'countsTowardSite: false' where it is only for comparison");
                    return;
                }

                first ??= (device, use);
            }
        }
    }

    /// <summary>A meter behind another one of the same method has its amount in that one's already.</summary>
    private static void CheckTwice(IReadOnlyList<PlacedDevice> devices, ProblemCollector problems)
    {
        var byId = devices.GroupBy(d => d.Model.Id).ToDictionary(g => g.Key, g => g.First());
        foreach (var device in devices)
        {
            foreach (var use in device.Model.Carbon.Where(u => u.CountsTowardSite && u.Points.ContainsKey("activity")))
            {
                var seen = new HashSet<string> { device.Model.Id };
                for (var parent = device.Model.Metering?.Parent; parent is not null && seen.Add(parent) && byId.TryGetValue(parent, out var above); parent = above.Model.Metering?.Parent)
                {
                    if (above.Model.Carbon.Any(u => u.CountsTowardSite && u.Method == use.Method))
                    {
                        problems.Error(
                            PlaceOf(device, use),
                            $"'{device.Model.Id}' and '{parent}' in front of it both count {use.Method} toward the site: it would be counted twice",
                            $"Write 'countsTowardSite: false' in the account of '{device.Model.Id}'");
                        break;
                    }
                }
            }
        }
    }

    private static YamlMap PlaceOf(PlacedDevice device, CarbonModel use)
    {
        var method = use.Method == MineMethane.Destruction ? MineMethane.Drainage : use.Method;
        var entries = device.Section.List("carbon").OfType<YamlMap>().Where(e => e.Text("method") == method).ToList();
        return entries[method == SulfurHexafluoride.Balance ? device.Model.Carbon.Where(u => u.Balance is not null).ToList().IndexOf(use) : 0];
    }

    private static CarbonModel Read(Section section, ObjectShape shape, string method, TimeZoneInfo zone, ProblemCollector problems)
    {
        bool Has(string key) => shape.Keys.Any(k => k.Name == key) && section.Has(key);
        var measured = Has("measured") ? section.Block("measured", GatewayShape.MeasuredCarbon) : default;
        if (method == FuelCombustion.Name && Has("fuel") == measured.IsPresent)
        {
            problems.Error(section.Place, "a fuel is either one of the factor set or measured by the site", "Write one of 'fuel' and 'measured'");
        }

        return new(method, EmissionMethods.ByName[method].Scope)
        {
            Points = PointKeys.Where(Has).ToDictionary(k => k, k => section.Text(k) ?? ""),
            Fuel = Has("fuel") ? section.Text("fuel") : null,
            VolumeCelsius = Has("volumeAt") ? section.Text("volumeAt") == "20C" ? 20 : 0 : null,
            Measured = measured.IsPresent ? new(Share(measured, "carbonPercent", problems), Share(measured, "oxidationPercent", problems), Percent(measured, "uncertaintyPercent"), measured.Text("source") ?? "") : null,
            BiogenicPercent = Has("biogenicPercent") ? Share(section, "biogenicPercent", problems) : null,
            Adapt = Has("adapt") ? Adapt(section.Block("adapt", GatewayShape.Adapt), problems) : null,
            Compartment = method == "sf6-leak" ? new(section.Number("volume") ?? 0, (section.Number("atmosphere") ?? 0) * 1_000, section.Integer("hour") ?? 0) : null,
            PurityPercent = method == StoredCarbon.Injection ? Share(section, "purityPercent", problems) : 100,
            Factor = Has("factor") ? section.Text("factor") : method == ElectricityMarket.Name ? section.Text("rest") : null,
            GwpSet = Has("gwp") ? section.Text("gwp") : null,
            Gas = shape.Keys.Any(k => k.Name == "gas") ? section.Text("gas") : null,
            Destruction = method == MineMethane.Drainage ? new(Share(section, "flarePercent", problems), Share(section, "usePercent", problems)) : null,
            Instruments = method == ElectricityMarket.Name ? Instruments(section, problems) : null,
            Balance = method == SulfurHexafluoride.Balance ? Balance(section, zone, problems) : null,
            ActivityPercent = Percent(section, "uncertaintyPercent"),
            FactorPercent = Percent(section, "factorUncertaintyPercent"),
            CountsTowardSite = method != GatewayPower.MethodName && (section.Boolean("countsTowardSite") ?? true),
        };
    }

    private static List<InstrumentModel> Instruments(Section account, ProblemCollector problems)
    {
        var instruments = new List<InstrumentModel>();
        foreach (var entry in account.List("instruments").OfType<YamlMap>())
        {
            var section = new Section(entry, GatewayShape.Instrument, entry);
            if (section.Text("name") is not { } name || section.Text("from") is not { } from || section.Text("to") is not { } to)
            {
                continue; // Reported by the shape.
            }

            var instrument = new InstrumentModel(
                name, NotNegative(section, "kWh", problems), NotNegative(section, "kgPerKWh", problems), Percent(section, "uncertaintyPercent"), Instant.Parse(from), Instant.Parse(to));
            if (instrument.To <= instrument.From)
            {
                problems.Error(section.At("to"), $"the instrument '{name}' ends before it begins", "Write the end of the time for which it may be used, exclusive");
            }

            if (instruments.Exists(i => i.Name == name))
            {
                problems.Error(section.At("name"), $"there are two instruments '{name}', and what is used of them could not be told apart", "Give each a name of its own: the number of the certificate, or the month");
                continue;
            }

            instruments.Add(instrument);
        }

        return instruments;
    }

    private static BalanceModel Balance(Section section, TimeZoneInfo zone, ProblemCollector problems)
    {
        var year = section.Integer("year") ?? 1990;
        return new(
            NewYear(year, zone),
            NewYear(year + 1, zone),
            NotNegative(section, "begin", problems),
            NotNegative(section, "end", problems),
            NotNegative(section, "acquired", problems),
            NotNegative(section, "disbursed", problems),
            section.Number("capacityGrowth") ?? 0);
    }

    private static Instant NewYear(int year, TimeZoneInfo zone)
    {
        var local = new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);
        return Instant.From(new DateTimeOffset(local, zone.GetUtcOffset(local)));
    }

    private static AdaptModel Adapt(Section section, ProblemCollector problems)
    {
        var (least, most) = (NotNegative(section, "least", problems), NotNegative(section, "most", problems));
        if (most <= least)
        {
            problems.Error(section.At("most"), $"no factor is between {least} and {most}", "Write the smallest and the largest factor that the fuel can have, kg CO2 for one unit of the activity");
        }

        return new(
            section.Text("mass") ?? "",
            (double)NotNegative(section, "massUncertaintyPercent", problems),
            (double)NotNegative(section, "systematicPercent", problems),
            (double)NotNegative(section, "driftPercentPerDay", problems),
            (double)NotNegative(section, "priorUncertaintyPercent", problems),
            (double)least,
            (double)most);
    }

    private static decimal NotNegative(Section section, string key, ProblemCollector problems)
    {
        var value = section.Number(key);
        if (value < 0)
        {
            problems.Error(section.At(key), $"'{key}' is {value}", "Write a number that is not negative");
        }

        return value ?? 0;
    }

    private static decimal Share(Section section, string key, ProblemCollector problems)
    {
        var value = section.Number(key);
        if (value is < 0 or > 100)
        {
            problems.Error(section.At(key), $"'{key}' is {value}", "Write a percentage from 0 to 100");
        }

        return value ?? 0;
    }

    private static double Percent(Section section, string key) => (double?)section.Number(key) ?? double.NaN;
}
