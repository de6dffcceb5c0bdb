namespace EdgeGateway.Commands.Demo;

/// <summary>Faults on request, by keys.</summary>
internal static class Keys
{
    public const string Legend = "[b] belt slip   [s] stuck analyser   [d] dead meter   [o] broker outage   (again: mend it)   [q] quit";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Acts on keys until q or Ctrl-C is pressed, or until cancelled.</summary>
    public static async Task RunAsync(FaultSwitches faults, CancellationToken cancel)
    {
        // As a key, Ctrl-C reaches this process only: the broker and the gateway end in their order, and the count is final.
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                await Task.Delay(Look, TimeProvider.System, cancel).ConfigureAwait(false);
                while (Console.KeyAvailable)
                {
                    var key = Console.ReadKey(intercept: true);
                    if (key.Key == ConsoleKey.Q || (key.Key == ConsoleKey.C && key.Modifiers.HasFlag(ConsoleModifiers.Control)))
                    {
                        return;
                    }

                    if (FaultOf(key.Key) is { } fault)
                    {
                        await faults.SetAsync(fault, !faults.IsOn(fault), cancel).ConfigureAwait(false);
                    }
                }
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    private static DemoFault? FaultOf(ConsoleKey key) => key switch
    {
        ConsoleKey.B => DemoFault.BeltSlip,
        ConsoleKey.S => DemoFault.StuckAnalyser,
        ConsoleKey.D => DemoFault.DeadMeter,
        ConsoleKey.O => DemoFault.BrokerOutage,
        _ => null,
    };
}
