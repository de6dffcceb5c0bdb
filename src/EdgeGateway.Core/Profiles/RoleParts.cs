namespace EdgeGateway.Core.Profiles;

/// <summary>Names of points for people, made from role and part: <c>Voltage L1-N</c>, <c>电压 L1-N</c>.</summary>
internal static class RoleParts
{
    /// <summary>Title of a role with or without a part suffix.</summary>
    public static string TitleEnglish(Role role, string written) => Join(role.English, written, role, English);

    /// <summary>The same in Chinese.</summary>
    public static string TitleChinese(Role role, string written) => Join(role.Chinese, written, role, Chinese);

    /// <summary>A part in English: <c>L1-N</c>, <c>tariff 2</c>, <c>channel 3</c>.</summary>
    public static string English(string part) => part switch
    {
        "n" => "N",
        "avg" => "average",
        "ln_avg" => "average L-N",
        "ll_avg" => "average L-L",
        ['t', >= '0' and <= '9'] => $"tariff {part[1..]}",
        ['c', 'h', ..] => $"channel {part[2..]}",
        _ => part.ToUpperInvariant().Replace('_', '-'),
    };

    /// <summary>The same in Chinese.</summary>
    public static string Chinese(string part) => part switch
    {
        "n" => "N",
        "avg" => "平均",
        "ln_avg" => "相电压平均",
        "ll_avg" => "线电压平均",
        ['t', >= '0' and <= '9'] => $"费率{part[1..]}",
        ['c', 'h', ..] => $"通道{part[2..]}",
        _ => part.ToUpperInvariant().Replace('_', '-'),
    };

    private static string Join(string whole, string written, Role role, Func<string, string> name) =>
        written.Length > role.Name.Length ? $"{whole} {name(written[(role.Name.Length + 1)..])}" : whole;
}
