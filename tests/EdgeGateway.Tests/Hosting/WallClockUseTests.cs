using System.Text.RegularExpressions;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Requirement T-1: the wall clock is for stamping only. The analyzers forbid all clocks but the injected one; this keeps account of who asks that one for the wall time.</summary>
public sealed class WallClockUseTests
{
    /// <summary>Who may, and what for. Schedules, time limits, back-off, keep alive and token buckets are not among it.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["EdgeGateway.Protocols/Mqtt/MqttDialer.cs"] = "certificates are valid between two dates",
        ["EdgeGateway/Commands/VerifyFeedCommand.cs"] = "stamps recorded messages",
        ["EdgeGateway/Storage/SqliteStore.Integrity.cs"] = "shown to people",
        ["EdgeGateway/Commands/FactorsCommand.cs"] = "the date for which a person asks, when none is named",
        ["EdgeGateway/Doctoring/Patient.cs"] = "shown to people; certificates are valid between two dates",
        ["EdgeGateway/Commands/SoakCommand.cs"] = "shown to people: when a soak began",
        ["EdgeGateway/Commands/GatewayService.cs"] = "stamps the refusal of a configuration",
        ["EdgeGateway/Commands/WipeCommand.cs"] = "stamps the account of what was wiped",
        ["EdgeGateway/Backup/BackupWriter.cs"] = "stamps the backup",
        ["EdgeGateway/Backup/Restorer.cs"] = "names what is set aside",
        ["EdgeGateway/Storage/StoreCopy.cs"] = "stamps the restore; the age of files",
        ["EdgeGateway/Commands/TraceCommand.cs"] = "stamps frames",
        ["EdgeGateway/Tracing/WireHub.cs"] = "stamps frames",
        ["EdgeGateway/Box/BoxHealth.cs"] = "measures the steps of the wall clock against the monotonic one",
        ["EdgeGateway/Hosting/BootClock.cs"] = "stamps writes; their time runs on the monotonic clock within a boot",
        ["EdgeGateway/Hosting/GatewayClock.cs"] = "the one place that dates readings",
        ["EdgeGateway/Hosting/Reload.cs"] = "stamps reloads",
        ["EdgeGateway/Hosting/ShiftedTime.cs"] = "the demonstration's clock",
        ["EdgeGateway/Hosting/StatusReport.cs"] = "shown to people",
        ["EdgeGateway/Hosting/StorelessGateway.cs"] = "shown to people",
        ["EdgeGateway/Storage/SqliteStore.cs"] = "stamps losses and the quarantine; ages are shown to people",
        ["EdgeGateway/Storage/StoreOpening.cs"] = "stamps the store and its epoch",
        ["EdgeGateway/Storage/Salvage.cs"] = "names the files set aside",
        ["EdgeGateway/Uplinks/Hj212/Hj212Uplink.cs"] = "shown to people; stamps requests (QN)",
        ["EdgeGateway/Uplinks/Mqtt/MqttUplink.cs"] = "shown to people",
        ["EdgeGateway/Uplinks/Mqtt/MqttUplinkRun.cs"] = "shown to people",
    };

    [Fact]
    public void T_1_nothing_but_stamping_asks_for_the_wall_time()
    {
        var root = RepositoryFiles.At("src");
        string[] projects = ["EdgeGateway.Core", "EdgeGateway.Protocols", "EdgeGateway"];
        var users = projects.SelectMany(p => Directory.EnumerateFiles(Path.Combine(root, p), "*.cs", SearchOption.AllDirectories))
            .Where(f => Regex.IsMatch(File.ReadAllText(f), @"\b(GetUtcNow|GetLocalNow)\(\)"))
            .Select(f => Path.GetRelativePath(root, f).Replace('\\', '/'))
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.StartsWith("EdgeGateway/Commands/Demo/", StringComparison.Ordinal))
            .ToArray();
        Assert.Contains("EdgeGateway/Hosting/GatewayClock.cs", users);
        Assert.Empty(users.Except(Allowed.Keys));
    }
}
