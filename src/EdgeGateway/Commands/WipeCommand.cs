using System.CommandLine;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using EdgeGateway.Wiping;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway wipe</c>: takes away what a gateway keeps of a site.</summary>
internal static class WipeCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var yes = new Option<string?>("--yes") { Description = "Do not ask: the gateway's id, as a proof that this one is meant.", HelpName = "GATEWAY" };
        var certificate = new Option<string?>("--certificate") { Description = "Also write the account of what was wiped to a file.", HelpName = "FILE" };
        var command = new Command(
            "wipe",
            """
            For the last day of a gateway: delete its store, keys and passwords, and have its brokers drop what they retain of it. What is
            still waiting to leave is lost. It says first what will go, and asks for the gateway's id; the gateway must not run.
            Exit code: 0 all is gone, 1 something is left or nothing was done, 2 the configuration cannot be used.
            """) { configuration, profiles, yes, certificate };
        command.SetAction((result, cancel) => RunAsync(result.GetValue(configuration)!, result.GetValue(profiles), result.GetValue(yes), result.GetValue(certificate), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string configuration, string? profiles, string? yes, string? certificate, CancellationToken cancel)
    {
        if (CommonOptions.Load(configuration, profiles) is not { } site)
        {
            return Terminal.BadInput;
        }

        try
        {
            return await RunAsync(site, configuration, yes, certificate, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Terminal.Fail($"Not wiped: {e.Message}");
        }
    }

    private static async Task<int> RunAsync(LoadedSite site, string configuration, string? yes, string? certificate, CancellationToken cancel)
    {
        var model = site.Model;
        if (!Directory.Exists(model.Storage.Directory))
        {
            return Terminal.Fail($"There is no store in {model.Storage.Directory}: nothing to wipe.");
        }

        using var held = StoreLock.Take(model.Storage.Directory);
        var wiper = new Wiper(model, configuration);
        var list = wiper.Look();
        Console.WriteLine($"Gateway {model.GatewayId} of site {model.SiteId}. This deletes for good:");
        foreach (var (path, bytes) in list.Files)
        {
            Console.WriteLine($"  {path} ({Words.Bytes(bytes)})");
        }

        Console.WriteLine($"  what {model.Uplinks.Count} {(model.Uplinks.Count == 1 ? "uplink has" : "uplinks have")} not delivered, and retained messages at brokers");
        if (yes is null)
        {
            if (Console.IsInputRedirected)
            {
                return Terminal.Fail($"Nothing was wiped: there is nobody to ask. Add --yes {model.GatewayId} to wipe without asking.");
            }

            Console.Write("Type the gateway's id to go on: ");
            yes = Console.ReadLine()?.Trim();
        }

        if (yes != model.GatewayId)
        {
            return Terminal.Fail($"Nothing was wiped: '{yes}' is not the gateway's id.");
        }

        var retained = await wiper.ForgetAsync(TimeProvider.System, cancel).ConfigureAwait(false);
        var failed = wiper.Delete(list);
        string[] account =
        [
            $"Wiped: gateway {model.GatewayId} of site {model.SiteId}, {TimeProvider.System.GetUtcNow().UtcDateTime:yyyy-MM-dd HH:mm:ss}Z by the computer's clock, by {Environment.UserName} on {Environment.MachineName}, EdgeGateway {ProgramVersion.Text}",
            .. list.Files.Where(f => !failed.Any(left => left.StartsWith(f.Path + ":", StringComparison.Ordinal))).Select(f => $"  deleted      {f.Path} ({f.Bytes} bytes)"),
            .. retained.Select(r => $"  retained     uplink {r.Uplink}, {r.Topics}: {r.Removed} messages dropped by the broker"),
            .. retained.Where(r => r.Problem is not null).Select(r => $"  NOT REMOVED  retained messages of uplink {r.Uplink}: {r.Problem}"),
            .. failed.Select(f => $"  NOT DELETED  {f}"),
            .. list.Left.Select(l => $"  left         {l}"),
        ];
        foreach (var line in account)
        {
            Console.WriteLine(line);
        }

        if (certificate is not null)
        {
            await File.WriteAllLinesAsync(certificate, account, cancel).ConfigureAwait(false);
        }

        return failed.Count == 0 && retained.All(r => r.Problem is null) ? Terminal.Success : Terminal.Failure;
    }
}
