using System.Buffers;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>What uplinks that name points have to know of the site.</summary>
/// <param name="TimeZone">Zone of the site.</param>
/// <param name="Windows">Widths of the windows.</param>
/// <param name="Devices">Its devices.</param>
/// <param name="Points">All their points.</param>
internal sealed record UplinkSurroundings(TimeZoneInfo TimeZone, IReadOnlyList<TimeSpan> Windows, IReadOnlyList<DeviceModel> Devices, IReadOnlyList<PointModel> Points);

/// <summary>Resolves an HJ 212 uplink.</summary>
internal sealed class SiteHj212(UplinkSurroundings site, ProblemCollector problems)
{
    private static readonly SearchValues<char> NotInNumbers = SearchValues.Create(";=&,# ");

    /// <summary>How to mend what cannot be an MN.</summary>
    internal const string WriteNumber = "Write the number that the authority has given: 24 hexadecimal digits, on older platforms 14 to 27 characters";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // The standard says nothing of reconnecting; it gives an answer 10 s (CN 1000, OverTime).
    private static readonly TimeSpan DefaultReconnectMin = TimeSpan.FromSeconds(10);

    /// <summary>The uplink of a section; what is wrong is reported.</summary>
    public Hj212UplinkModel Resolve(Section section, string id)
    {
        var host = section.Text("host") ?? "";
        if (host.Length > 0 && !(section.Boolean("allowPlaintext") ?? false) && !SiteUplinks.IsLoopback(host))
        {
            problems.Error(section.At("host"), $"HJ 212 would send everything, the password too, unencrypted to {host}", "Write 'allowPlaintext: true' if the network is trusted, such as a VPN of the authority");
        }

        var number = section.Text("mn") ?? "";
        if (section.Has("mn") && !IsNumber(number))
        {
            problems.Error(section.At("mn"), $"'{number}' cannot be an MN", WriteNumber);
        }

        var factors = new List<Hj212FactorModel>();
        foreach (var entry in section.List("factors").OfType<YamlMap>())
        {
            if (Factor(new(entry, GatewayShape.Hj212Factor, entry)) is { } factor)
            {
                if (factors.Exists(f => f.Code == factor.Code))
                {
                    problems.Error(entry, $"the factor {factor.Code} is there twice", "Name each factor once");
                }

                factors.Add(factor);
            }
        }

        var reconnectMax = Within(section, "reconnectMax", TimeSpan.FromSeconds(1), Hour) ?? TimeSpan.FromMinutes(1);
        var reconnectMin = Within(section, "reconnectMin", TimeSpan.FromSeconds(1), Hour) ?? DefaultReconnectMin;
        if (section.Has("reconnectMin") && reconnectMin > reconnectMax)
        {
            problems.Error(section.At("reconnectMin"), $"the first wait before a reconnect, {reconnectMin.TotalSeconds:0} s, is longer than the longest, {reconnectMax.TotalSeconds:0} s", "Write a shorter one, or a longer 'reconnectMax'");
        }

        return new()
        {
            Id = id,
            Host = host,
            Port = section.Integer("port") ?? 0,
            DeviceNumber = number,
            PasswordFile = section.Text("passwordFile") ?? "",
            System = section.Text("st") ?? "31",
            Factors = factors,
            TimeZone = site.TimeZone,
            Minute = Minute(section),
            RealTime = RealTime(section),
            AnswerTimeout = Within(section, "answerTimeout", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)) ?? TimeSpan.FromSeconds(10),
            Sendings = section.Integer("sendings") ?? 3,
            ReconnectMin = reconnectMin < reconnectMax ? reconnectMin : reconnectMax,
            ReconnectMax = reconnectMax,
            Commands = [.. section.Scalars("commands").Select(c => c.Text)],
        };
    }

    /// <summary>Whether a text can be an MN.</summary>
    internal static bool IsNumber(string text) => text.Length is >= 1 and <= 27 && !text.AsSpan().ContainsAny(NotInNumbers);

    private static bool IsOff(Section section, string key) => section.Node(key) is YamlScalar { Text: "off" };

    private TimeSpan? Within(Section section, string key, TimeSpan least, TimeSpan most)
    {
        var time = section.Duration(key);
        if (time is { } given && (given < least || given > most))
        {
            problems.Error(section.At(key), $"{given.TotalSeconds} s is not possible here", $"Write {least.TotalSeconds:0}s to {most.TotalSeconds:0}s");
            return null;
        }

        return time;
    }

    private TimeSpan? Minute(Section section)
    {
        if (IsOff(section, "minute"))
        {
            return null;
        }

        var usual = site.Windows.FirstOrDefault(w => w >= TimeSpan.FromMinutes(1) && w < Hour);
        if (section.Duration("minute") is not { } minute)
        {
            return usual == default ? null : usual;
        }

        if (minute >= Hour || !site.Windows.Contains(minute))
        {
            problems.Error(section.At("minute"), $"there are no windows of {minute.TotalSeconds:0} s below an hour", $"Write one of 'windows': {string.Join(", ", site.Windows.Where(w => w < Hour).Select(w => $"{w.TotalSeconds:0}s"))}");
            return null;
        }

        return minute;
    }

    private TimeSpan? RealTime(Section section) =>
        IsOff(section, "realTime") ? null : Within(section, "realTime", TimeSpan.FromSeconds(30), Hour) ?? TimeSpan.FromSeconds(30);

    private Hj212FactorModel? Factor(Section section)
    {
        if (section.Text("code") is not { } code)
        {
            return null;
        }

        var known = Hj212Factors.Find(code);
        if (known is null)
        {
            problems.Warning(section.At("code"), $"the factor '{code}' is not among those whose units are known here", $"{Spelling.Hint(code, Hj212Factors.All.Select(f => f.Code))}See that the unit of its point is the one that the platform wants");
        }

        var point = Point(section, "point", known?.Unit);
        var corrected = Point(section, "corrected", known?.Unit);
        var mass = Point(section, "mass", known?.MassUnit);
        if (mass is { } counter && site.Points[counter].Kind != PointKind.Counter)
        {
            problems.Error(section.At("mass"), $"'{section.Text("mass")}' is no counter: the growth of its total is what would be sent", "Name the counter of the mass, or leave 'mass' out");
        }

        return point is { } value ? new(code, value, corrected, mass, section.Text("hour") == Hj212FactorModel.HourWords[1] ? GasOf(section, site.Points[value]) : null) : null;
    }

    /// <summary>The gas of a stack that a point measures; what is in the way of taking the stack's hours is reported.</summary>
    private string? GasOf(Section section, PointModel point)
    {
        var device = site.Devices[point.DeviceIndex];
        if (device.Cems is not { Rules: CemsRules.Hj75 } cems)
        {
            problems.Error(section.At("hour"), $"the device '{device.Id}' is no stack under HJ 75, so there are no hours of it to send", "Give it a 'cems' block with rules: hj75, or write hour: window");
            return null;
        }

        var gas = cems.Gases.FirstOrDefault(g => !g.IsFromOxygen && (g.Point is { } named ? named == point.Id : point.Role == $"gas.concentration.{g.Gas}"));
        if (gas is null || gas.Gas == "co2")
        {
            // The stack's CO2 is in percent.
            problems.Error(section.At("hour"), $"the stack '{device.Id}' has no hours of '{point.Id}' in mg/m3", $"Write hour: window; the stack has {string.Join(", ", cems.Gases.Where(g => g.Gas != "co2").Select(g => g.Gas))}");
            return null;
        }

        return gas.Gas;
    }

    private int? Point(Section section, string key, string? unit)
    {
        if (section.Text(key) is not { } name)
        {
            return null;
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var device = dot > 0 ? site.Devices.FirstOrDefault(d => d.Id == name[..dot]) : null;
        if (device is null)
        {
            problems.Error(section.At(key), $"there is no device of '{name}'", $"{Spelling.Hint(dot > 0 ? name[..dot] : name, site.Devices.Select(d => d.Id))}Write device.point");
            return null;
        }

        foreach (var index in device.Points)
        {
            if (site.Points[index].Id == name[(dot + 1)..])
            {
                var point = site.Points[index];
                if (unit is not null && !Hj212Factors.IsSame(point.Unit, unit))
                {
                    problems.Error(section.At(key), $"{name} is in {point.Unit}, and HJ 212 wants {section.Text("code")} in {unit}", Units.Find(point.Unit) is { } own && Units.Find(unit) is { } wanted && own.Dimension == wanted.Dimension ? "Let the profile show the point in that unit (scale and unit)" : "Name the point that measures it");
                }

                return index;
            }
        }

        problems.Error(section.At(key), $"the device '{device.Id}' has no point '{name[(dot + 1)..]}'", $"{Spelling.Hint(name[(dot + 1)..], device.Points.Select(p => site.Points[p].Id))}Write device.point");
        return null;
    }
}
