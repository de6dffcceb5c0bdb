using System.CommandLine;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Simulator;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway simulate</c>: serves the devices of a site, with plausible values.</summary>
internal static class SimulateCommand
{
    private static readonly TimeSpan ErrorInterval = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same values at the same time.", DefaultValueFactory = _ => 1 };
        var script = new Option<string?>("--faults") { Description = "Script of faults, as in docs/examples/mine/tour.yaml.", HelpName = "FILE" };
        var command = new Command(
            "simulate",
            """
            Serve every device of a site over Modbus TCP (on loopback) and RTU, from the same profiles that the gateway reads with:
            load curves, a conveyor that starts and stops, stack gas; energy counters that agree with the power.
            Faults come by script (--faults). Runs until Ctrl-C.
            """) { configuration, profiles, seed, script };
        command.SetAction((result, cancel) => RunAsync(
            result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(seed), result.GetValue(script), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string configuration, string? profiles, ulong seed, string? script, CancellationToken cancel)
    {
        var site = CommonOptions.Load(configuration, profiles, starting: true);
        if (site is null)
        {
            return Terminal.BadInput;
        }

        var simulation = new SimulatedSite(site.Model, seed, TimeProvider.System);
        if (script is not null)
        {
            if (!File.Exists(script))
            {
                return Terminal.Fail($"There is no file '{script}'. Name the script of faults with --faults FILE.", Terminal.BadInput);
            }

            var (faults, problems) = FaultScript.Parse(new SourceText(script, await File.ReadAllTextAsync(script, cancel).ConfigureAwait(false)));
            Terminal.Print(problems, Console.Error);
            if (faults is null)
            {
                return Terminal.BadInput;
            }

            simulation.Run(faults);
        }

        try
        {
            await using var server = await SiteServer.StartAsync(simulation).ConfigureAwait(false);
            Console.WriteLine(server.Describe());
            await ShowErrorsAsync(server, cancel).ConfigureAwait(false);
            return Terminal.Success;
        }
        catch (IOException e)
        {
            return Terminal.Fail($"The simulator cannot start: {e.Message}");
        }
    }

    private static async Task ShowErrorsAsync(SiteServer server, CancellationToken cancel)
    {
        HashSet<Exception> shown = [];
        while (!cancel.IsCancellationRequested)
        {
            foreach (var (bus, error) in server.Errors.Where(e => shown.Add(e.Error)))
            {
                await Console.Error.WriteLineAsync($"Bus {bus}: a simulated device failed and answered with exception 04: {error}").ConfigureAwait(false);
            }

            await Task.Delay(ErrorInterval, TimeProvider.System, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
