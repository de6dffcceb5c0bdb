using System.CommandLine;
using EdgeGateway.Hosting;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway run</c>: the gateway itself.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var format = new Option<string>("--log-format")
        {
            Description = "text for people, json for programs, systemd for the journal (with priorities).",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong("text", "json", "systemd");
        var level = new Option<LogLevel>("--log-level")
        {
            Description = "Least severe messages to print.",
            DefaultValueFactory = _ => LogLevel.Information,
        };
        var shift = new Option<double>("--shift")
        {
            Description = "Seconds that the wall clock is set ahead, for demonstrations.",
            Hidden = true,
        };
        var command = new Command(
            "run",
            """
            Run the gateway: poll, validate, detect, account, summarise, store and forward, until SIGTERM or Ctrl-C.
            The configuration is checked before any wire is touched (exit code 2 when it is not usable). On SIGTERM the last
            readings are committed, the uplinks get 3 s to deliver, and the process exits; what could not leave waits on disk.
            On SIGHUP, or 'edgegateway reload', the edited configuration is checked and taken over.
            """) { configuration, profiles, format, level, shift };
        command.SetAction((result, cancel) => RunAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            result.GetValue(format)!,
            result.GetValue(level),
            TimeSpan.FromSeconds(result.GetValue(shift)),
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(string configuration, string? profiles, string format, LogLevel level, TimeSpan shift, CancellationToken cancel)
    {
        if (Choose(configuration, profiles) is not var (site, lastGood, refusal))
        {
            return Terminal.BadInput;
        }

        using var logs = Logging(format, level);
        TimeProvider time = shift == TimeSpan.Zero ? TimeProvider.System : new ShiftedTime(shift);
        var reloader = new Reloader(
            () =>
            {
                var loaded = CommonOptions.Read(configuration, profiles, out var problems);
                return (loaded, problems);
            },
            time) { Refusal = refusal };
        using var manager = ServiceManager.FromEnvironment(Environment.GetEnvironmentVariable, Environment.ProcessId);
        using var shelf = new LineShelf(manager, LineShelf.Handed(Environment.GetEnvironmentVariable, Environment.ProcessId));
        try
        {
            await new GatewayService(time, logs, manager, reloader, () => GoodCopy.TextOf(configuration), shelf).RunAsync(site, lastGood, cancel).ConfigureAwait(false);
            return Terminal.Success;
        }
        catch (StoreException e)
        {
            return Terminal.Fail(e.Message);
        }
        catch (IOException e)
        {
            return Terminal.Fail($"The gateway cannot start: {e.Message} If it is the health endpoint, write 'health: {{ listen: \"127.0.0.1:PORT\" }}' with a free port in {configuration}, or 'health: off'.");
        }
    }

    /// <summary>What is started: what the file says, unless a running gateway has refused just that; then the last good configuration, as before the restart.</summary>
    /// <returns>The site, what to start when it does not start, and what was refused; null when nothing can be started.</returns>
    private static (LoadedSite Site, LoadedSite? LastGood, ConfigurationRefusal? Refusal)? Choose(string configuration, string? profiles)
    {
        var site = CommonOptions.Read(configuration, profiles, out var problems);
        Terminal.Print(problems, Console.Error);
        var texts = site?.Model.ConfigurationHash ?? GoodCopy.TextOf(configuration);
        foreach (var storage in site is null ? Stores(configuration) : [site.Model.Storage.Directory])
        {
            var good = GoodCopy.Load(storage, configuration);
            if (good is not null && GoodCopy.Refused(storage) is { } refusal && refusal.Texts == texts && texts.Length > 0)
            {
                Console.Error.WriteLine(refusal.Text);
                return (good, null, refusal);
            }

            if (site is not null)
            {
                return (site, good?.Model.ConfigurationHash == site.Model.ConfigurationHash ? null : good, null);
            }
        }

        var errors = problems.Count(p => p.Severity == Core.ProblemSeverity.Error);
        Console.Error.WriteLine($"{errors} {(errors == 1 ? "error" : "errors")}. Nothing was started.");
        return null;
    }

    /// <summary>Where the store of a file that cannot be read may be: where systemd keeps the state of the service (systemd.exec(5), StateDirectory), and the default.</summary>
    private static IEnumerable<string> Stores(string configuration) =>
        [.. Environment.GetEnvironmentVariable("STATE_DIRECTORY")?.Split(':') ?? [], Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "data")];

    private static ILoggerFactory Logging(string format, LogLevel level) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(level);
        builder.AddFilter("Microsoft", LogLevel.Warning);
        const string Stamp = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        switch (format)
        {
            case "json":
                builder.AddJsonConsole(o =>
                {
                    o.UseUtcTimestamp = true;
                    o.TimestampFormat = Stamp.TrimEnd();
                });
                break;
            case "systemd":
                builder.AddSystemdConsole();
                break;
            default:
                builder.AddSimpleConsole(o =>
                {
                    o.SingleLine = true;
                    o.UseUtcTimestamp = true;
                    o.TimestampFormat = Stamp;
                    o.ColorBehavior = LoggerColorBehavior.Disabled;
                });
                break;
        }
    });
}
