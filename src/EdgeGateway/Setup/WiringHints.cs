using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Scanning;

namespace EdgeGateway.Setup;

/// <summary>What to look at when something that should be there does not answer. The words are those of the diagnosis of a running gateway.</summary>
internal static class WiringHints
{
    /// <summary>Hints for one place; empty when all that was expected answers.</summary>
    /// <param name="place">Where was asked.</param>
    /// <param name="found">Unit ids that answer there.</param>
    /// <param name="expected">Unit ids that somebody said are there; empty when nobody knows.</param>
    /// <param name="problem">What the operating system said when there was no connection or port; empty when there was one.</param>
    public static IReadOnlyList<string> For(ScanPlace place, IReadOnlyCollection<int> found, IReadOnlyCollection<int> expected, string problem)
    {
        var missing = expected.Except(found).Order().ToArray();
        if (problem.Length > 0 || found.Count == 0)
        {
            var where = place.Host is null ? place.SerialPort! : place.Text;
            var symptom = problem.Length > 0 ? problem : $"{where}: nothing answers";
            return [$"{symptom}. {Cure(place, [Silent(0, problem)], problem)}."];
        }

        return [.. missing.Select(unit => $"{place.Text}: unit {unit} does not answer, {(found.Count == 1 ? "another unit does" : $"{found.Count} others do")}. {Cure(place, [Silent(unit, ""), .. found.Select(Answering)], "")}.")];
    }

    private static string Cure(ScanPlace place, IReadOnlyList<DeviceSymptoms> devices, string problem) => LikelyCauses.Of(new BusSymptoms
    {
        Bus = "scan",
        Medium = place.Host is null ? BusMedium.Line : BusMedium.Tcp,
        Where = place.Text,
        ConnectProblem = problem,
        Devices = devices,
    })[0].Cure;

    private static DeviceSymptoms Silent(int unit, string problem) => new()
    {
        Device = "",
        Unit = unit,
        Timeout = TimeSpan.Zero,
        NotConnected = problem.Length > 0 ? LikelyCauses.Enough : 0,
        Timeouts = problem.Length > 0 ? 0 : LikelyCauses.Enough,
    };

    private static DeviceSymptoms Answering(int unit) => new() { Device = "", Unit = unit, Timeout = TimeSpan.Zero, Answered = LikelyCauses.Enough };
}
