namespace EdgeGateway.Commands.Demo;

/// <summary>The script of the demonstration: one fault after the other, each with what must be seen of it at the receiver.</summary>
internal sealed class Tour(Stage stage)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(25);
    private static readonly string[] OneOfEachArea =
    [
        "incomer.active_power_total", "main-fan.active_power_total", "fan-vibration.velocity_rms_z", "lighting.active_power_total", "belt-meter.active_power_total",
        "belt-drive.output_frequency", "belt-scale.belt_speed", "belt-scale.mass_flow_rate", "stack-gas.concentration_o2", "stack-gas.concentration_nox", "stack-flow.temperature",
    ];

    private readonly List<(string What, bool Seen)> _findings = [];

    /// <summary>What was to be seen, and whether it was.</summary>
    public IReadOnlyList<(string What, bool Seen)> Findings => _findings;

    /// <summary>True when all acts were played and each had its effect.</summary>
    public bool IsComplete { get; private set; }

    public async Task RunAsync(CancellationToken cancel)
    {
        Act(1, "normal running");
        await ExpectAsync("values of every area", 45, p => OneOfEachArea.All(p.Values.ContainsKey), cancel).ConfigureAwait(false);
        await HoldAsync(5, cancel).ConfigureAwait(false);

        Act(2, "the belt slips");
        await stage.Faults.SetAsync(DemoFault.BeltSlip, true, cancel).ConfigureAwait(false);
        await ExpectAsync("belt slip found", 30, p => p.Stands("slip", "belt-scale"), cancel).ConfigureAwait(false);
        await HoldAsync(4, cancel).ConfigureAwait(false);
        await stage.Faults.SetAsync(DemoFault.BeltSlip, false, cancel).ConfigureAwait(false);
        await ExpectAsync("belt slip cleared", 30, p => !p.Stands("slip", "belt-scale"), cancel).ConfigureAwait(false);

        Act(3, "the NOx analyser is stuck");
        await stage.Faults.SetAsync(DemoFault.StuckAnalyser, true, cancel).ConfigureAwait(false);
        await ExpectAsync("stuck analyser found", 45, p => p.Stands("stuck", "stack-gas"), cancel).ConfigureAwait(false);
        await HoldAsync(2, cancel).ConfigureAwait(false);
        await stage.Faults.SetAsync(DemoFault.StuckAnalyser, false, cancel).ConfigureAwait(false);
        await ExpectAsync("stuck analyser cleared", 30, p => !p.Stands("stuck", "stack-gas"), cancel).ConfigureAwait(false);

        Act(4, "a meter is dead");
        await stage.Faults.SetAsync(DemoFault.DeadMeter, true, cancel).ConfigureAwait(false);
        await ExpectAsync("dead meter reported offline", 30, p => p.Online.TryGetValue("lighting", out var online) && !online, cancel).ConfigureAwait(false);
        await HoldAsync(4, cancel).ConfigureAwait(false);
        await stage.Faults.SetAsync(DemoFault.DeadMeter, false, cancel).ConfigureAwait(false);
        await ExpectAsync("meter reported online again", 40, p => p.Online.GetValueOrDefault("lighting"), cancel).ConfigureAwait(false);

        await OutageAsync(cancel).ConfigureAwait(false);

        Act(7, "the carbon account");
        var left = Math.Max(0, (stage.FirstEntries - stage.Clock.GetUtcNow()).TotalSeconds) + 60;
        await ExpectAsync("carbon entries of the site and of each meter", left, HasEntries, cancel).ConfigureAwait(false);
        await HoldAsync(2, cancel).ConfigureAwait(false);
        await ExpectAsync("no anomaly stands at the end", 5, p => p.Anomalies.Count == 0, cancel).ConfigureAwait(false);
        IsComplete = _findings.TrueForAll(f => f.Seen);
    }

    private async Task OutageAsync(CancellationToken cancel)
    {
        Act(5, "the broker is away");
        var history = stage.Receiver.Now().History;
        var begun = TimeProvider.System.GetTimestamp();
        await stage.Faults.SetAsync(DemoFault.BrokerOutage, true, cancel).ConfigureAwait(false);
        await ExpectAsync("gateway reports the link down", 20, _ => stage.Gateway.Status is not null && !stage.Gateway.IsLinkUp, cancel).ConfigureAwait(false);
        var before = stage.Gateway.Backlog;
        await ExpectAsync("backlog grows on the gateway's disk", 25, _ => stage.Gateway.Backlog >= before + 10, cancel).ConfigureAwait(false);
        await HoldAsync((Outage - TimeProvider.System.GetElapsedTime(begun)).TotalSeconds, cancel).ConfigureAwait(false);

        Act(6, "the broker is back");
        await stage.Faults.SetAsync(DemoFault.BrokerOutage, false, cancel).ConfigureAwait(false);

        await ExpectAsync("the broker kept the session of the centre", 20, _ => stage.Subscriber is { IsConnected: true, Sessions: 1 }, cancel).ConfigureAwait(false);

        // The pauses between the gateway's attempts have grown to half a minute at most, with jitter.
        await ExpectAsync("gateway connects again by itself", 60, _ => stage.Gateway.IsLinkUp, cancel).ConfigureAwait(false);
        await ExpectAsync("history arrives", 30, p => p.History > history, cancel).ConfigureAwait(false);
        await ExpectAsync("0 missing, 0 duplicated after the outage", 60, p => p.IsWhole && stage.Gateway.Backlog <= 3, cancel).ConfigureAwait(false);
        stage.Events.Add($"after the outage: {stage.Receiver.Now().LedgerLine}", Tone.Good);
    }

    private static bool HasEntries(Picture picture) =>
        ((ReadOnlySpan<string>)["site", "incomer", "main-fan", "lighting", "belt-meter"]).ToArray().All(account => picture.Carbon.TryGetValue(account, out var sum) && sum.Milligrams > 0);

    private void Act(int number, string title) => stage.Events.Add($"==== {number} of 7: {title}");

    private async Task ExpectAsync(string what, double seconds, Func<Picture, bool> seen, CancellationToken cancel)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!seen(stage.Receiver.Now()))
        {
            if (TimeProvider.System.GetElapsedTime(begun).TotalSeconds > seconds)
            {
                _findings.Add((what, false));
                stage.Events.Add($"NOT SEEN within {seconds:F0} s: {what}.", Tone.Bad);
                return;
            }

            await Task.Delay(Look, TimeProvider.System, cancel).ConfigureAwait(false);
        }

        _findings.Add((what, true));
    }

    private static async Task HoldAsync(double seconds, CancellationToken cancel)
    {
        if (seconds > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }
}
