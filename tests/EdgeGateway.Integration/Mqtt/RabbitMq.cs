using System.Diagnostics;
using System.Text;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>A RabbitMQ with its MQTT plugin on a free loopback port, with a folder, a node name and a port mapper of its own; ended by their process ids.</summary>
internal sealed class RabbitMq : IAsyncDisposable
{
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgegateway-rabbitmq-");
    private readonly StringBuilder _log = new();
    private Process? _mapper;
    private Process? _broker;

    private RabbitMq() => Port = Mosquitto.FreePort();

    public int Port { get; }

    public int WebSocketPort { get; } = Mosquitto.FreePort();

    /// <summary>Starts it and waits until it accepts connections: some ten seconds.</summary>
    public static async Task<RabbitMq> RunAsync()
    {
        Assert.True(File.Exists(Program), $"{Program} is missing: install the Debian package 'rabbitmq-server'");
        var rabbit = new RabbitMq();
        try
        {
            await rabbit.StartAsync();
            return rabbit;
        }
        catch
        {
            await rabbit.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The script only starts the machine and waits for it; the file holds the id of the machine itself.
        if (File.Exists(At("pid")) && int.TryParse(await File.ReadAllTextAsync(At("pid")), out var machine))
        {
            using var kill = Process.Start("/bin/kill", ["-KILL", $"{machine}"]);
            await kill.WaitForExitAsync();
        }

        foreach (var process in new[] { _broker, _mapper })
        {
            if (process is { HasExited: false })
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }

            process?.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        var mapperPort = $"{Mosquitto.FreePort()}";
        await File.WriteAllTextAsync(At("plugins"), "[rabbitmq_mqtt,rabbitmq_web_mqtt].\n");
        await File.WriteAllTextAsync(At("rabbitmq.conf"), $"""
            listeners.tcp = none
            mqtt.listeners.tcp.1 = 127.0.0.1:{Port}
            web_mqtt.tcp.ip = 127.0.0.1
            web_mqtt.tcp.port = {WebSocketPort}
            mqtt.allow_anonymous = true
            mqtt.vhost = /
            mqtt.subscription_ttl = 600000
            disk_free_limit.absolute = 1MB
            """);
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = _folder.FullName,
            ["ERL_EPMD_PORT"] = mapperPort,
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODENAME"] = $"edgegateway-test-{Port}@localhost",
            ["RABBITMQ_DIST_PORT"] = $"{Mosquitto.FreePort()}",
            ["RABBITMQ_MNESIA_BASE"] = At("data"),
            ["RABBITMQ_LOG_BASE"] = At("log"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = At("plugins"),
            ["RABBITMQ_CONFIG_FILE"] = At("rabbitmq"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = At("advanced"),
            ["RABBITMQ_CONF_ENV_FILE"] = At("env"),
            ["RABBITMQ_PID_FILE"] = At("pid"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        };

        // Started by the broker, the port mapper would outlive it.
        _mapper = Start("epmd", ["-port", mapperPort, "-address", "127.0.0.1"], environment);
        await BrokerPorts.OpenAsync(int.Parse(mapperPort), Log);
        _broker = Start(Program, [], environment);
        await BrokerPorts.OpenAsync(Port, Log);
        await BrokerPorts.OpenAsync(WebSocketPort, Log);
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string Log()
    {
        lock (_log)
        {
            return _log.ToString();
        }
    }

    private Process Start(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.AppendLine(line.Data);
        }
    }
}
