using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves <c>cems</c> of a device.</summary>
internal static class SiteCems
{
    private static readonly (string Key, CemsState State)[] Codes =
    [
        ("zeroGas", CemsState.ZeroGas), ("spanGas", CemsState.SpanGas), ("calibration", CemsState.Calibration),
        ("maintenance", CemsState.Maintenance), ("fault", CemsState.Fault), ("outOfService", CemsState.OutOfService),
    ];

    /// <summary>The stack of a device; null when it has none or the block cannot be read.</summary>
    public static CemsModel? Resolve(Section device, ProblemCollector problems)
    {
        var section = device.Block("cems", CemsShape.Stack);
        if (!section.IsPresent || section.Text("rules") is not { } rules || section.Number("ambient") is not { } ambient)
        {
            return null;
        }

        if (ambient is < 50 or > 110)
        {
            problems.Error(section.At("ambient"), $"an atmospheric pressure of {ambient} kPa is not possible", "Write it in kPa, absolute, as it is at the stack: about 101.3 at sea level, 12 less for each 1000 m of height");
        }

        var moisture = section.Number("moisturePercent");
        if (moisture is < 0 or >= 100)
        {
            problems.Error(section.At("moisturePercent"), $"a moisture of {moisture} % is not possible", "Write percent by volume, 0 to below 100");
        }

        var operating = section.Block("operating", CemsShape.Operating);
        var status = section.Block("status", CemsShape.Status);
        var named = section.Block("points", CemsShape.Points);
        var points = CemsInputs.Words.Where(w => w is not ("load" or "status") && named.Has(w)).ToDictionary(w => w, w => named.Text(w) ?? "");
        if (operating.Text("point") is { } load)
        {
            points["load"] = load;
        }

        if (status.Text("point") is { } state)
        {
            points["status"] = state;
        }

        return new()
        {
            Rules = CemsWords.RulesOf(rules),
            Gases = Gases(section, rules, problems),
            Points = points,
            SquareMetres = Positive(section, "area", problems),
            VelocityCoefficient = Positive(section, "velocityCoefficient", problems) ?? 1,
            AmbientPascal = ambient * 1000,
            MoisturePercent = moisture,
            IsOxygenWet = section.Text("oxygenBasis") == "wet",
            Fuel = section.Text("fuel"),
            PotentialFlow = Positive(section, "potentialFlow", problems),
            FlowBias = Bias(section, "flowBiasFactor", problems),
            UncertaintyPercent = (double?)section.Number("uncertaintyPercent") ?? double.NaN,
            OperatingAbove = operating.Number("above") ?? 0,
            FullLoad = Positive(operating, "full", problems),
            States = States(status, problems),
        };
    }

    /// <summary>Asks the stacks themselves, so that what passes here can be made; and warns of readings that come too seldom for the rules.</summary>
    public static void Check(SiteModel model, IReadOnlyList<PlacedDevice> devices, ProblemCollector problems)
    {
        foreach (var device in devices.Where(d => d.Model.Cems is not null))
        {
            var place = device.Section.At("cems");
            try
            {
                var station = new CemsStation(model, device.Model, NoSink.Instance);
                var most = device.Model.Cems!.Rules switch { CemsRules.Hj75 => 5, CemsRules.Part75 => 900, _ => 60 };
                var slow = station.Slots.Select(s => s.Point).Where(p => p.Kind == PointKind.Gauge && p.Period > TimeSpan.FromSeconds(most)).Select(p => p.Id).Distinct().ToList();
                if (slow.Count > 0)
                {
                    problems.Warning(place, $"{string.Join(", ", slow)} of '{device.Model.Id}' {(slow.Count == 1 ? "is" : "are")} read less often than every {most} s", device.Model.Cems.Rules == CemsRules.Hj75
                        ? "A minute needs 12 samples (HJ 76): no hour will be valid. Give these points 'poll: 5s' or less"
                        : "An hour may not be valid: give these points a shorter 'poll'");
                }
            }
            catch (ArgumentException e)
            {
                problems.Error(place, $"the stack of '{device.Model.Id}' cannot be accounted: {e.Message.TrimEnd('.')}", "Name the points under 'points', or correct the block; docs/cems.md says what each rule set needs");
            }
        }
    }

    private static List<CemsGasModel> Gases(Section section, string rules, ProblemCollector problems)
    {
        var gases = new List<CemsGasModel>();
        foreach (var entry in section.List("gases").OfType<YamlMap>())
        {
            var gas = new Section(entry, CemsShape.Gas, entry);
            if (gas.Text("gas") is not { } name)
            {
                continue; // Reported by the shape.
            }

            if (gases.Exists(g => g.Gas == name))
            {
                problems.Error(gas.At("gas"), $"the stack has two analysers for {name}, and their hours could not be told apart", "Remove one; a second one needs a device of its own");
                continue;
            }

            if (rules == "part75" && name is not ("co2" or "so2" or "nox"))
            {
                problems.Error(gas.At("gas"), $"part75 has no rules for {name}", "Account co2, so2 or nox under part75, others under hj75 or eu-mrr");
            }

            if (gas.Has("from") && name != "co2")
            {
                problems.Error(gas.At("from"), $"{name} cannot be computed from oxygen", "Only co2 can");
            }

            var limit = gas.Block("limit", CemsShape.Limit);
            var reference = limit.Number("referenceOxygen");
            if (reference is < 0 or >= 21)
            {
                problems.Error(limit.At("referenceOxygen"), $"a reference oxygen of {reference} % is not possible", "Write percent by volume below 21: 6 for coal, 3 for gas, 11 for waste, 15 for turbines");
            }

            if (limit.IsPresent && name == "co2")
            {
                problems.Error(limit.Place, "co2 has no limit in mg/m3", "Remove 'limit', or write it at the pollutant");
            }

            gases.Add(new()
            {
                Gas = name,
                Point = gas.Text("point"),
                IsFromOxygen = gas.Text("from") == "oxygen",
                IsWet = gas.Text("basis") == "wet",
                IsActual = gas.Text("conditions") == "actual",
                Span = Positive(gas, "span", problems),
                ZeroGas = gas.Number("zeroGas") ?? 0,
                SpanGas = Positive(gas, "spanGas", problems),
                Potential = gas.Number("potential"),
                Bias = Bias(gas, "biasFactor", problems),
                Deviation = Positive(gas, "deviation", problems),
                HourLimit = Positive(limit, "hour", problems),
                DayLimit = Positive(limit, "day", problems),
                ReferenceOxygen = reference,
            });
        }

        return gases;
    }

    private static Dictionary<long, CemsState> States(Section status, ProblemCollector problems)
    {
        var states = new Dictionary<long, CemsState>();
        foreach (var (key, state) in Codes)
        {
            foreach (var scalar in status.Scalars(key))
            {
                if (Quantities.TryInteger(scalar.Text, out var code) && !states.TryAdd((long)code, state))
                {
                    problems.Error(scalar, $"the status {code} has two meanings", "Name each number once");
                }
            }
        }

        return states;
    }

    private static decimal? Positive(Section section, string key, ProblemCollector problems)
    {
        var value = section.Number(key);
        if (value is <= 0 or > CemsLimits.Largest)
        {
            problems.Error(section.At(key), $"'{key}' is {value}", "Write a number above 0");
        }

        return value;
    }

    private static decimal Bias(Section section, string key, ProblemCollector problems)
    {
        var value = section.Number(key) ?? 1;
        if (value is < 1 or > 10)
        {
            problems.Error(section.At(key), $"a bias factor of {value} is not possible", "It is 1, or what the last RATA found above 1: 1.047");
        }

        return value;
    }

    /// <summary>Hears nothing: a stack that is only made to see whether it can be.</summary>
    private sealed class NoSink : IFeedSink
    {
        public static readonly NoSink Instance = new();

        public void Summary(in SummaryRecord record)
        {
        }

        public void Emission(in EmissionRecord record)
        {
        }

        public void Anomaly(AnomalyRecord record)
        {
        }

        public void DeviceState(DeviceStateRecord record)
        {
        }

        public void Alarm(Alarms.AlarmRecord record)
        {
        }

        public void CemsHour(CemsHourRecord record)
        {
        }

        public void Calibration(CemsCalibrationRecord record)
        {
        }

        public void Sample(in Sample sample)
        {
        }
    }
}
