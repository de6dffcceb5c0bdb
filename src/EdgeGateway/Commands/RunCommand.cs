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
        var site = CommonOptions.Load(configuration, profiles, starting: true);
        if (site is null)
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
            time);
        using var manager = ServiceManager.FromEnvironment(Environment.GetEnvironmentVariable, Environment.ProcessId);
        using var shelf = new LineShelf(manager, LineShelf.Handed(Environment.GetEnvironmentVariable, Environment.ProcessId));
        try
        {
            await new GatewayService(time, logs, manager, reloader, shelf).RunAsync(site, cancel).ConfigureAwait(false);
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
