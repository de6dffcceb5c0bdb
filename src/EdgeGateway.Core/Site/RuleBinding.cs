using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Rules;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>Gives every device the rules of the trade that its points allow: a rule names roles, and finds its points by them.</summary>
/// <remarks>
/// A point is looked for on the device itself, and where it has none, among the devices of its area; where several could be meant, none is taken. What the profile or
/// the site says under <c>rules</c> goes first: off, other numbers, points by name.
/// </remarks>
internal static class RuleBinding
{
    /// <summary>Points that are read less often are watched by nobody for a missing value.</summary>
    private static readonly TimeSpan Seldom = TimeSpan.FromHours(1);

    /// <summary>The points with their rules.</summary>
    public static IReadOnlyList<PointModel> Bind(IReadOnlyList<PlacedDevice> placed, IReadOnlyList<PointModel> points, ProblemCollector problems)
    {
        var added = new List<DetectorModel>[points.Count];
        var devices = placed.Select(p => p.Model).ToList();
        foreach (var place in placed)
        {
            var settings = RuleSettings.Join(place.Model.Profile.Rules, RuleSettings.Read(place.Section, problems));
            foreach (var rule in RuleTable.All)
            {
                var setting = settings.GetValueOrDefault(rule.Name);
                if (setting is { IsOff: true } || (setting is null && !WorksAlone(rule, place.Model)))
                {
                    continue;
                }

                var fault = new Binder(rule, place.Model, setting, devices, points, added).Bind();
                if (fault is not null && setting is not null)
                {
                    problems.Error(place.Section.At("rules"), $"the rule '{rule.Name}' of '{place.Model.Id}' cannot work: {fault}", "Name its points as device.point, give the number that is missing, or remove the rule");
                }
            }
        }

        return [.. points.Select((p, i) => added[i] is { } more ? p with { Detectors = [.. p.Detectors, .. more] } : p)];
    }

    private static bool WorksAlone(Rule rule, DeviceModel device) =>
        (rule.Kinds.Contains(device.Profile.Kind) || rule.Kinds.Contains(GeneralRules.Any)) && rule.Applies?.Invoke(device) != false;

    /// <summary>Binds one rule to one device.</summary>
    private sealed class Binder(Rule rule, DeviceModel device, RuleSetting? setting, IReadOnlyList<DeviceModel> devices, IReadOnlyList<PointModel> points, List<DetectorModel>[] added)
    {
        /// <summary>Adds the detectors; says why there are none, or null.</summary>
        public string? Bind()
        {
            if (rule.Rating is RuleRating.Power or RuleRating.Stated && setting?.Numbers.ContainsKey("rated") != true
                && (rule.Rating == RuleRating.Stated || device.RatedPowerWatts is null))
            {
                return "it needs 'rated'";
            }

            var watched = Watched();
            string? fault = watched.Count == 0 ? "the device has no point for it" : null;
            var isFirst = true;
            foreach (var point in watched)
            {
                fault = Others(point, out var names) ?? fault;
                if (names is not null)
                {
                    var numbers = new Dictionary<string, double>(setting?.Numbers ?? new Dictionary<string, double>());
                    if (rule.Name == "gap" && isFirst)
                    {
                        // One point speaks for a device that is silent.
                        numbers.TryAdd("wire", 1);
                    }

                    (added[point.Index] ??= []).Add(new(rule.Name, numbers) { Points = names });
                    isFirst = false;
                }
            }

            return isFirst ? fault : null;
        }

        private List<PointModel> Watched()
        {
            var first = rule.Inputs[0];
            if (setting?.Points.GetValueOrDefault(RuleSettings.Watched) is { } name || setting?.Points.TryGetValue(first.Key, out name) == true)
            {
                return Named(name) is { } point && point.DeviceIndex == device.Index ? [point] : [];
            }

            var own = device.Points.Select(p => points[p]).Where(p => p.Period > TimeSpan.Zero && p.Kind != PointKind.Text);
            if (first.Roles.Count == 0)
            {
                return rule.Kinds.Contains(GeneralRules.Any) ? [.. own.Where(p => p.Kind != PointKind.State && p.Period <= Seldom)] : [];
            }

            var found = own.Where(p => Fits(first, p) && !(rule.YieldsToLimit && setting is null && p.Detectors.Any(d => d.Name == "limit"))).ToList();

            // Of many the last is watched: of one poll it is read last.
            return first.IsMany ? [.. found.TakeLast(1)] : found;
        }

        /// <summary>Names of the other points by key; null with the reason when one is missing.</summary>
        private string? Others(PointModel watched, out Dictionary<string, string>? names)
        {
            names = [];
            foreach (var input in rule.Inputs)
            {
                var isFirst = ReferenceEquals(input, rule.Inputs[0]);
                if (input.IsNumbered)
                {
                    var number = RuleInputs.FirstOf(rule, input);
                    foreach (var point in Many(input).Where(p => p.Index != watched.Index))
                    {
                        names[RuleInputs.KeyOf(input, number++)] = NameOf(point);
                    }

                    if (!isFirst && number == 1)
                    {
                        names = null;
                        return $"there is no point '{input.Key}1'";
                    }
                }
                else if (!isFirst)
                {
                    var point = setting?.Points.GetValueOrDefault(input.Key) is { } name ? Named(name) : One(input, watched);
                    if (point is not null)
                    {
                        names[input.Key] = NameOf(point);
                    }
                    else if (!input.IsOptional || setting?.Points.ContainsKey(input.Key) == true)
                    {
                        names = null;
                        return $"there is no point '{input.Key}'";
                    }
                }
            }

            return null;
        }

        private List<PointModel> Many(RuleInput input)
        {
            var named = Enumerable.Range(1, 1_000).Select(n => setting?.Points.GetValueOrDefault(RuleInputs.KeyOf(input, n))).TakeWhile(n => n is not null).Select(n => Named(n!)).OfType<PointModel>().ToList();
            if (named.Count > 0)
            {
                return named;
            }

            if (input.IsOfChildren)
            {
                return Children(input);
            }

            var own = Of(device).Where(p => Fits(input, p)).ToList();
            return own.Count > 0 || device.Area is null ? own : [.. devices.Where(d => d.Area == device.Area).SelectMany(Of).Where(p => Fits(input, p))];
        }

        // A generator or a reversed meter behind the incomer would have to be taken away: such a tree is left to the people who know it.
        private List<PointModel> Children(RuleInput input)
        {
            var children = devices.Where(d => d.Metering?.Parent == device.Id).ToList();
            var found = children.Select(d => Of(d).FirstOrDefault(p => Fits(input, p))).OfType<PointModel>().ToList();
            return found.Count == children.Count && children.TrueForAll(d => d.Metering is { Role: MeterRole.Submeter, Reversed: false }) && device.Metering is { Reversed: false } ? found : [];
        }

        private PointModel? One(RuleInput input, PointModel watched)
        {
            if (input.IsOfParent)
            {
                return devices.FirstOrDefault(d => d.Id == device.Metering?.Parent) is { } parent ? Single([.. Of(parent).Where(p => Fits(input, p))]) : null;
            }

            foreach (var role in input.Roles)
            {
                var own = Of(device).Where(p => p.Index != watched.Index && Fits(input, p, role)).ToList();
                if (Single(own) is { } here)
                {
                    return here;
                }

                if (own.Count == 0 && device.Area is { } area && Single([.. devices.Where(d => d.Area == area && d.Index != device.Index).SelectMany(Of).Where(p => Fits(input, p, role))]) is { } there)
                {
                    return there;
                }
            }

            return null;

            static PointModel? Single(List<PointModel> found) => found.Count == 1 ? found[0] : null;
        }

        private IEnumerable<PointModel> Of(DeviceModel of) => of.Points.Select(p => points[p]).Where(p => p.Period > TimeSpan.Zero && p.Kind != PointKind.Text);

        private PointModel? Named(string name)
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            var owner = dot < 0 ? device : devices.FirstOrDefault(d => d.Id == name[..dot]);
            return owner is null ? null : Of(owner).FirstOrDefault(p => p.Id == name[(dot + 1)..]);
        }

        private string NameOf(PointModel point) => point.DeviceIndex == device.Index ? point.Id : $"{devices[point.DeviceIndex].Id}.{point.Id}";

        private static bool Fits(RuleInput input, PointModel point) => input.Roles.Any(role => Fits(input, point, role));

        private static bool Fits(RuleInput input, PointModel point, string role) =>
            (point.Role == role || point.Role.StartsWith(role + ".ch", StringComparison.Ordinal))
            && (input.Dimension is not { } dimension || Units.Find(point.Unit)?.Dimension == dimension);
    }
}
