using System.Text;
using System.Text.RegularExpressions;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Telemetry;

/// <summary>Each alert rule as it is shipped, evaluated by Prometheus' own engine (<c>promtool test rules</c>) over three hours: it fires for a sick gateway and for no well one.</summary>
public sealed partial class AlertRuleTests
{
    /// <summary>For each rule: series of a sick gateway and of a well one, in promtool's notation: first value, growth a minute, how often.</summary>
    private static readonly Dictionary<string, (string Series, string Sick, string Well)[]> Cases = new()
    {
        ["EdgeGatewayDown"] = [("up{job=\"edgegateway\"", "0x180", "1x180")],
        ["EdgeGatewayDegraded"] = [("edgegateway_gateway_degraded{", "1x180", "0x180")],
        ["EdgeGatewayDeviceOffline"] = [("edgegateway_device_online{device=\"belt\",bus=\"line\"", "0x180", "1x180")],
        ["EdgeGatewayDamagedReplies"] = [("edgegateway_bus_damaged_total{bus=\"line\"", "0+3x180", "0+1x180"), ("edgegateway_bus_requests_total{bus=\"line\"", "0+100x180", "0+100x180")],
        ["EdgeGatewayBusOverloaded"] = [("edgegateway_bus_utilization_ratio{bus=\"line\"", "0.95x180", "0.85x180")],
        ["EdgeGatewayMissedPolls"] = [("edgegateway_device_missed_polls_total{device=\"belt\",bus=\"line\"", "0+2x180", "0+0.5x180")],
        ["EdgeGatewayUplinkDown"] = [("edgegateway_uplink_connected{uplink=\"centre\"", "0x180", "1x180")],
        ["EdgeGatewayBacklogOld"] = [("edgegateway_uplink_oldest_age_seconds{uplink=\"centre\"", "3700x180", "3500x180")],
        ["EdgeGatewayQuarantined"] = [("edgegateway_uplink_quarantined_total{uplink=\"centre\"", "0x140 1x40", "7x180")],

        // One loss, of which the first value that Prometheus sees is a zero.
        ["EdgeGatewayRecordsLost"] = [("edgegateway_outbox_lost_total{reason=\"evicted\"", "0x140 12x40", "12x180"), ("edgegateway_outbox_lost_total{reason=\"thinned\"", "0x180", "0+9x180")],
        ["EdgeGatewayStoreFilling"] = [("edgegateway_store_utilization_ratio{", "0.9x180", "0.8x180")],
        ["EdgeGatewayStoreNotWritten"] = [("edgegateway_store_condition{state=\"disk-full\"", "1x180", "0x180"), ("edgegateway_store_condition{state=\"ok\"", "0x180", "1x180")],
        ["EdgeGatewayStoreDamaged"] = [("edgegateway_store_damaged{", "1x180", "0x180")],
        ["EdgeGatewayClockUnset"] = [("edgegateway_clock_quality{state=\"unset\"", "1x180", "0x180"), ("edgegateway_clock_quality{state=\"holdover\"", "0x180", "1x180")],
        ["EdgeGatewayCriticalAlarm"] = [("edgegateway_alarm_active{priority=\"critical\"", "1x180", "0x180"), ("edgegateway_alarm_active{priority=\"high\"", "0x180", "3x180")],
        ["EdgeGatewayAlarmFlood"] = [("edgegateway_alarm_flood{", "1x180", "0x180")],
        ["EdgeGatewayDefect"] = [("edgegateway_detector_faults_total{", "0x140 1x40", "5x180"), ("edgegateway_process_unobserved_faults_total{", "0x180", "5x180")],
        ["EdgeGatewayHot"] = [("edgegateway_box_cpu_temperature_celsius{", "82x180", "78x180")],
        ["EdgeGatewaySupplyLow"] = [("edgegateway_box_throttled{reason=\"under-voltage\"", "1x180", "0x180"), ("edgegateway_box_under_voltage{", "0x180", "0x180")],
        ["EdgeGatewayDiskFilling"] = [("edgegateway_box_storage_utilization_ratio{", "0.95x180", "0.85x180")],
        ["EdgeGatewayCardWorn"] = [("edgegateway_box_card_wear_ratio{type=\"a\"", "0.9x180", "0.7x180")],
        ["EdgeGatewayMemoryGrows"] = [("process_memory_usage_bytes{job=\"edgegateway\"", "310e6x180", "120e6x180")],
    };

    [Fact]
    public async Task Every_alert_rule_fires_for_a_sick_gateway_and_for_no_well_one()
    {
        var shipped = RepositoryFiles.At("hardware/observability/alerts.yml");
        Assert.Equal(Alert().Matches(await File.ReadAllTextAsync(shipped)).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal), Cases.Keys.Order(StringComparer.Ordinal));

        var text = new StringBuilder($"rule_files: [\"{shipped}\"]\nevaluation_interval: 1m\ntests:\n");
        foreach (var (name, series) in Cases)
        {
            text.Append("  - interval: 1m\n    input_series:\n");
            foreach (var (start, sick, well) in series)
            {
                foreach (var (instance, values) in new[] { ("sick", sick), ("well", well) })
                {
                    text.Append($"      - {{ series: '{start}{(start.EndsWith('{') ? "" : ",")}instance=\"{instance}\"}}', values: '{values}' }}\n");
                }
            }

            text.Append($"""
                    promql_expr_test:
                      - expr: count by (instance) (ALERTS{OpenBrace}alertname="{name}", alertstate="firing"{CloseBrace})
                        eval_time: 150m
                        exp_samples: [{OpenBrace} labels: '{OpenBrace}instance="sick"{CloseBrace}', value: 1 {CloseBrace}]

                """);
        }

        var path = Path.Combine(Directory.CreateTempSubdirectory("edgegateway-alerts-").FullName, "test.yml");
        await File.WriteAllTextAsync(path, text.ToString());
        Assert.Contains("SUCCESS", await PeerProcess.RunAsync("/usr/bin/promtool", "prometheus", "test", "rules", path), StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    private const char OpenBrace = '{', CloseBrace = '}';

    [GeneratedRegex("- alert: (?<name>\\w+)")]
    private static partial Regex Alert();
}
