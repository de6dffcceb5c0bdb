using System.CommandLine;
using EdgeGateway.Control;
using EdgeGateway.Hosting;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway reload</c>: has the running gateway take over its edited configuration.</summary>
internal static class ReloadCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var command = new Command(
            "reload",
            """
            Have the running gateway take over its edited configuration. It is checked completely first: one that is not good is refused with
            everything that is wrong, and what runs goes on as it is (exit code 2). Nothing that was accepted is lost, and devices that the change
            does not concern are polled as if nothing happened. One that does not start gives way to the one before (exit code 1).
            The same as SIGHUP to the process, with the answer on the terminal.
            """) { configuration, profiles };
        command.SetAction((result, cancel) => ReloadAsync(result.GetValue(configuration)!, result.GetValue(profiles), cancel));
        return command;
    }

    private static async Task<int> ReloadAsync(string configuration, string? profiles, CancellationToken cancel)
    {
        using var first = StatusCommand.Connect(configuration, profiles, out var code, quiet: true);
        if (first is null)
        {
            return code;
        }

        ReloadDocument wish;
        try
        {
            wish = await first.PostAsync("reload", "", ControlJson.Default.String, ControlJson.Default.ReloadDocument, cancel).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            return Terminal.Fail(e.Message);
        }

        foreach (var problem in wish.Problems)
        {
            Console.Error.WriteLine(problem);
        }

        if (wish.State == ReloadDocument.Refused)
        {
            return Terminal.Fail("Refused. The running configuration stays in force.", Terminal.BadInput);
        }

        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < Patience)
        {
            await Task.Delay(Pause, time, cancel).ConfigureAwait(false);
            if (await LastAsync(configuration, profiles, cancel).ConfigureAwait(false) is not { } last || (last.Number <= wish.Number && last.State == ReloadDocument.Accepted))
            {
                continue;
            }

            if (last.Number == wish.Number && last.State == ReloadDocument.Failed)
            {
                return Terminal.Fail($"The new configuration could not be started: {(last.Problems.Count > 0 ? last.Problems[^1] : "")} The one before is in force again.");
            }

            Console.WriteLine($"Configuration {wish.Configuration[..12]} is in force.");
            return Terminal.Success;
        }

        return Terminal.Fail($"The gateway did not take over the configuration within {Patience.TotalSeconds:F0} s. Its log says why.");
    }

    // While the gateway changes over, its socket is away for a moment; and another configuration may have put it elsewhere.
    private static async Task<ReloadDocument?> LastAsync(string configuration, string? profiles, CancellationToken cancel)
    {
        try
        {
            using var client = StatusCommand.Connect(configuration, profiles, out _, quiet: true, silent: true);
            return client is null ? null : (await client.GetAsync("status", ControlJson.Default.StatusDocument, cancel).ConfigureAwait(false)).Reload;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
