using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves the carbon accounts that a site declares for a device.</summary>
internal static class SiteCarbon
{
    private static readonly string[] PointKeys = ["activity", "flow", "methane", "temperature", "pressure", "density"];

    public static IReadOnlyList<CarbonModel> Resolve(Section device, ProblemCollector problems)
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
            if (accounts.Exists(a => a.Method == method))
            {
                problems.Error(entry, $"the device has two accounts by {method}, and their entries could not be told apart", "Remove one; a second one needs a device of its own");
                continue;
            }

            accounts.Add(Read(section, shape, method, problems));
        }

        return accounts;
    }

    /// <summary>Asks the accounts themselves, so that what passes here can be made.</summary>
    public static void Check(SiteModel model, IReadOnlyList<PlacedDevice> devices, FactorSet factors, ProblemCollector problems)
    {
        var registers = new HashSet<PointModel>();
        foreach (var device in devices)
        {
            var entries = device.Section.List("carbon").OfType<YamlMap>().ToList();
            foreach (var use in device.Model.Carbon)
            {
                var place = entries.First(e => e.Text("method") == use.Method);
                try
                {
                    if (new CarbonAccount(model, device.Model, use, factors).Counter is { } counter && !registers.Add(counter))
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
    }

    private static CarbonModel Read(Section section, ObjectShape shape, string method, ProblemCollector problems)
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
            Compartment = method == "sf6-leak" ? new(section.Number("volume") ?? 0, (section.Number("atmosphere") ?? 0) * 1_000, section.Integer("hour") ?? 0) : null,
            PurityPercent = method == StoredCarbon.Injection ? Share(section, "purityPercent", problems) : 100,
            Factor = Has("factor") ? section.Text("factor") : null,
            GwpSet = Has("gwp") ? section.Text("gwp") : null,
            Gas = shape.Keys.Any(k => k.Name == "gas") ? section.Text("gas") : null,
            ActivityPercent = Percent(section, "uncertaintyPercent"),
            FactorPercent = Percent(section, "factorUncertaintyPercent"),
        };
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
