using EdgeGateway.Simulator;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Commands.Demo;

/// <summary>What can be made to go wrong.</summary>
internal enum DemoFault
{
    BeltSlip,
    StuckAnalyser,
    DeadMeter,
    BrokerOutage,
}

/// <summary>Switches the faults of the demonstration on and off, one call at a time.</summary>
internal sealed class FaultSwitches(SimulatedSite mine, PrivateBroker broker, EventList events) : IDisposable
{
    private static readonly Dictionary<DemoFault, (Fault Fault, string Broken, string Mended)> InTheMine = new()
    {
        [DemoFault.BeltSlip] = (new Fault { Kind = FaultKind.BeltSlip, Device = "belt-scale", Magnitude = 0.3 }, "the belt slips by 30 % on its drive pulley", "the belt holds again"),
        [DemoFault.StuckAnalyser] = (new Fault { Kind = FaultKind.StuckSensor, Device = "stack-gas", Point = "concentration_nox" }, "the NOx analyser shows the same value for ever", "the NOx analyser measures again"),
        [DemoFault.DeadMeter] = (new Fault { Kind = FaultKind.DeadMeter, Device = "lighting" }, "the lighting meter does not answer", "the lighting meter answers again"),
    };

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<DemoFault, InjectedFault> _injected = [];

    public bool IsOn(DemoFault fault)
    {
        if (fault == DemoFault.BrokerOutage)
        {
            return !broker.IsUp;
        }

        lock (_injected)
        {
            return _injected.ContainsKey(fault);
        }
    }

    /// <summary>Makes it go wrong, or right again.</summary>
    public async Task SetAsync(DemoFault fault, bool on, CancellationToken cancel)
    {
        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (IsOn(fault) == on)
            {
                return;
            }

            if (fault == DemoFault.BrokerOutage)
            {
                await SetBrokerAsync(!on, cancel).ConfigureAwait(false);
            }
            else
            {
                SetInMine(fault, on);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private void SetInMine(DemoFault fault, bool on)
    {
        var (what, broken, mended) = InTheMine[fault];
        lock (_injected)
        {
            if (on)
            {
                _injected[fault] = mine.Inject(what);
            }
            else if (_injected.Remove(fault, out var injected))
            {
                mine.Clear(injected);
            }
        }

        events.Add(on ? $"fault: {broken}." : $"mended: {mended}.", Tone.Quiet);
    }

    private async Task SetBrokerAsync(bool up, CancellationToken cancel)
    {
        if (up)
        {
            await broker.StartAsync(cancel).ConfigureAwait(false);
            events.Add($"mended: the broker is started again, process {broker.ProcessId}.", Tone.Quiet);
        }
        else
        {
            events.Add($"fault: the broker, process {broker.ProcessId}, is stopped.", Tone.Quiet);
            await broker.StopAsync().ConfigureAwait(false);
        }
    }
}
