using System.Globalization;

namespace EdgeGateway.Core.Profiles;

/// <summary>What a profile states, in the words of a technician: the same in a terminal and in the catalogue.</summary>
public static class ProfileWords
{
    /// <summary>How the device is asked.</summary>
    public static string Transport(DeviceProfile profile) => profile.IsLocal ? "Inputs of this computer, shown as registers" :
        profile.IsDlt645 ? "DL/T 645-2007, quantities shown as registers" :
        profile.IsHj212 ? "HJ 212-2017, factors shown as registers" :
        $"Modbus, at most {profile.MaxRegistersPerRead} registers in a request{(profile.MayReadGaps ? "" : ", no gaps")}"
        + (profile.MinGap > TimeSpan.Zero ? $", {profile.MinGap.TotalMilliseconds:0} ms of quiet between requests" : "")
        + (profile.OneClientOnly ? ", one connection only: while the gateway runs, no other program can read it" : "")
        + (profile.SunSpec is { } model ? $"; SunSpec model {model.Number}, found by itself, addresses count from its first register" : "");

    /// <summary>Name of a table as profiles write it: <c>holding</c>, <c>input</c>, <c>coil</c>, <c>discrete</c>.</summary>
    public static string Table(RegisterTable table) => table switch
    {
        RegisterTable.HoldingRegister => "holding",
        RegisterTable.InputRegister => "input",
        RegisterTable.Coil => "coil",
        _ => "discrete",
    };

    /// <summary>Where a point stands: <c>holding 16 (0x0010), printed 40017</c>.</summary>
    public static string Address(ProfilePoint point) =>
        $"{Table(point.Encoding.Table)} {point.Encoding.Address} (0x{point.Encoding.Address:X4}){(point.Printed is { } printed ? $", printed {printed}" : "")}";

    /// <summary>How the registers are read: <c>uint32 high-first x 0.1</c>.</summary>
    public static string Type(RegisterEncoding encoding) =>
        encoding.Type.ToString().ToLowerInvariant()
        + ((encoding.Type == RegisterType.Bit && encoding.Table >= RegisterTable.InputRegister) || encoding.BitCount > 0 ? $" {encoding.Bit}{(encoding.BitCount > 1 ? $"..{encoding.Bit + encoding.BitCount - 1}" : "")}" : "")
        + (HasWordOrder(encoding) ? $" {Order(encoding.WordOrder)}" : "")
        + (encoding.ByteOrder == ByteOrder.Little ? " little-endian bytes" : "")
        + (encoding.Scale != 1 ? $" x {encoding.Scale.ToString("0.################", CultureInfo.InvariantCulture)}" : "")
        + (encoding.ScaleAt is { } at ? $" x 10^[{at}]" : "")
        + (encoding.Offset != 0 ? $" {(encoding.Offset > 0 ? '+' : '-')} {Math.Abs(encoding.Offset).ToString("0.################", CultureInfo.InvariantCulture)}" : "");

    /// <summary>Whether the value is a number in several registers, whose order matters.</summary>
    public static bool HasWordOrder(RegisterEncoding encoding) => encoding.Length > 1 && encoding.Type is not (RegisterType.Text or RegisterType.DateTime);

    /// <summary>The order as profiles write it: <c>high-first</c>, <c>low-first</c>.</summary>
    public static string Order(WordOrder order) => order == WordOrder.HighFirst ? "high-first" : "low-first";

    /// <summary>How often a point is read: <c>10 s</c>, <c>once</c>.</summary>
    public static string Period(ProfilePoint point) =>
        point.WriteOnly ? "only written" : point.Period > TimeSpan.Zero ? $"{point.Period.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s" : "once";

    /// <summary>A source with edition, page and commit.</summary>
    public static string Source(ProfileSource source) =>
        $"{source.Reference}{Also("edition", source.Edition)}{Also("page", source.Page)}{Also("commit", source.Commit)}";

    private static string Also(string word, string? value) => value is null ? "" : $", {word} {value}";
}
