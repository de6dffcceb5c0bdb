using System.Globalization;
using EdgeGateway.Control;
using EdgeGateway.Protocols;

namespace EdgeGateway.Doctoring;

/// <summary>Who looks, in which groups, and whether the store and the secrets are for the service alone (requirements S-6 and S-7).</summary>
/// <remarks>What may be done with each port and chip is told by the checks of those.</remarks>
internal static class PermissionCheck
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const UnixFileMode GroupOrWrite = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public static IEnumerable<Finding> Look(Patient patient)
    {
        if (OperatingSystem.IsWindows())
        {
            yield return Finding.NotChecked("Users, groups and modes of files are looked at on Linux only");
            yield break;
        }

        yield return Whom(patient);
        if (!Directory.Exists(patient.Storage))
        {
            yield return Finding.Notice($"The directory of the store, {patient.Storage}, is not there", "The gateway makes it at its first start; where it did run before, see whether its disk is mounted");
        }
        else
        {
            var mode = File.GetUnixFileMode(patient.Storage);
            yield return (mode & Others) != 0
                ? Finding.Warning($"Others than the service can look into {patient.Storage} (mode {Octal(mode)})", $"`sudo chmod 700 {patient.Storage}`")
                : Finding.Ok($"{patient.Storage} is for its owner alone (mode {Octal(mode)})");
            if (!patient.IsRoot && FileRights.MayWrite(patient.Storage) is false)
            {
                yield return patient.Status is null
                    ? Finding.Fault($"{patient.Storage} may not be written by this user", $"Give the directory to the user of the service: `sudo chown -R edgegateway: {patient.Storage}`; or run the command as that user")
                    : Finding.Notice($"{patient.Storage} may not be written by this user; the gateway runs as another", "Nothing to do");
            }
        }

        foreach (var (what, path) in patient.Brokers.SelectMany(b => new[] { ($"passwordFile of uplink {b.Id}", b.PasswordFile), ($"keyFile of uplink {b.Id}", b.KeyFile) }))
        {
            if (path is null || !File.Exists(path))
            {
                continue;
            }

            var mode = File.GetUnixFileMode(path);
            if (FileRights.MayRead(path) is false)
            {
                yield return Finding.Fault($"The {what} may not be read by this user: {path}", $"`sudo chown edgegateway {path}`, or run the command as the service's user");
            }

            // Readable for everybody is said with the configuration.
            yield return (mode & GroupOrWrite) != 0
                ? Finding.Notice($"Not only its owner can use the {what}: {path} (mode {Octal(mode)})", $"`sudo chmod 600 {path}`, and let it belong to the user of the service")
                : Finding.Ok($"The {what} has mode {Octal(mode)}");
        }
    }

    private static Finding Whom(Patient patient)
    {
        var status = patient.Word("proc/self/status")?.Split('\n') ?? [];
        var (uid, groups) = (Line(status, "Uid:"), Line(status, "Groups:"));
        if (uid is not [_, var effective, ..] || !uint.TryParse(effective, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return Finding.NotChecked("Which user this is, /proc/self/status does not tell");
        }

        return number == 0 || patient.IsRoot
            ? Finding.Notice("It is looked as root, to whom nothing is forbidden: what the service's user may do is not seen", $"`sudo -u edgegateway edgegateway doctor --config {patient.Configuration}` looks as the service does")
            : Finding.Ok($"It is looked as {SocketPeer.Describe(number)}, in the groups {(groups.Length == 0 ? "none" : string.Join(", ", groups.Select(g => NameOf(patient, g))))}");
    }

    private static string[] Line(string[] status, string name) =>
        status.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];

    // group(5): name, password, number, members.
    private static string NameOf(Patient patient, string number) =>
        patient.Word("etc/group")?.Split('\n').Select(l => l.Split(':')).FirstOrDefault(f => f is [_, _, var id, ..] && id == number)?[0] ?? number;

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}
