using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>A real broker on a free loopback port, with its own folder and configuration, ended by its own process id.</summary>
public sealed class Mosquitto : IDisposable
{
    private const string Program = "/usr/sbin/mosquitto";
    private readonly MosquittoSettings _settings;
    private readonly StringBuilder _log = new();
    private readonly int _webSocketPort = FreePort();
    private Process? _process;

    /// <summary>Prepares the broker; <see cref="StartAsync"/> starts it.</summary>
    public Mosquitto(MosquittoSettings? settings = null)
    {
        Assert.True(File.Exists(Program), $"{Program} is missing: install the Debian package 'mosquitto'");
        _settings = settings ?? new();
        Folder = Directory.CreateTempSubdirectory("edgegateway-mosquitto-").FullName;
        Port = FreePort();
        if (_settings.TlsNames.Count > 0)
        {
            Certificates = new(Path.Combine(Folder, "tls"), [.. _settings.TlsNames]);
        }

        WriteConfiguration();
    }

    public string Folder { get; }

    /// <summary>Stays the same over restarts.</summary>
    public int Port { get; }

    /// <summary>Present when the settings name TLS hosts.</summary>
    public TestCertificates? Certificates { get; }

    public Uri Uri => new($"{(Certificates is null ? "mqtt" : "mqtts")}://127.0.0.1:{Port}");

    /// <summary>The broker's own WebSocket listener, when the settings ask for one.</summary>
    public Uri WebSocket => new($"{(Certificates is null ? "ws" : "wss")}://127.0.0.1:{_webSocketPort}/mqtt");

    public int? ProcessId => _process?.Id;

    /// <summary>What the broker printed so far.</summary>
    public string Log { get { lock (_log) { return _log.ToString(); } } }

    public static async Task<Mosquitto> RunAsync(MosquittoSettings? settings = null)
    {
        var broker = new Mosquitto(settings);
        await broker.StartAsync();
        return broker;
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts the broker and waits until it accepts connections.</summary>
    public async Task StartAsync()
    {
        Assert.Null(_process);
        var start = new ProcessStartInfo(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Path.Combine(Folder, "mosquitto.conf"));
        var process = _process = Process.Start(start)!;
        process.ErrorDataReceived += Append;
        process.OutputDataReceived += Append;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        for (var attempt = 0; ; attempt++)
        {
            Assert.False(process.HasExited, $"mosquitto ended at start:\n{Log}");
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (attempt < 200)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    /// <summary>SIGTERM: the broker writes its persistence file, if it has one, and says goodbye.</summary>
    public async Task StopAsync()
    {
        if (_process is { HasExited: false } process)
        {
            using var kill = Process.Start("/bin/kill", ["-TERM", process.Id.ToString()]);
            await kill.WaitForExitAsync();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }

        Forget();
    }

    /// <summary>SIGKILL: nothing is written, nothing is said.</summary>
    public async Task KillAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }

        Forget();
    }

    /// <summary>Stops cleanly and starts again on the same port with the same folder.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            process.WaitForExit();
        }

        Forget();
        Directory.Delete(Folder, recursive: true);
    }

    private void Forget()
    {
        _process?.Dispose();
        _process = null;
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.AppendLine(line.Data);
        }
    }

    private void WriteConfiguration()
    {
        var lines = new List<string>
        {
            $"listener {Port} 127.0.0.1",
            "log_dest stderr",
            "log_type all",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
        };
        if (OperatingSystem.IsLinux() && Environment.UserName == "root")
        {
            // Started by root, the broker would become user mosquitto and could not read this folder.
            lines.Add("user root");
        }

        if (_settings.Users.Count > 0)
        {
            var passwords = Path.Combine(Folder, "passwords");
            File.WriteAllLines(passwords, _settings.Users.Select(user => $"{user.Key}:{user.Value}"));
            using var hash = Process.Start("/usr/bin/mosquitto_passwd", ["-U", passwords]);
            hash.WaitForExit();
            Assert.Equal(0, hash.ExitCode);
            lines.Add("allow_anonymous false");
            lines.Add($"password_file {passwords}");
        }
        else
        {
            lines.Add("allow_anonymous true");
        }

        if (_settings.Persistent)
        {
            lines.AddRange(["persistence true", $"persistence_location {Folder}/", "autosave_interval 1"]);
        }

        if (Certificates is { } tls)
        {
            lines.AddRange([$"cafile {tls.CaFile}", $"certfile {tls.ServerCertificate}", $"keyfile {tls.ServerKey}"]);
            lines.Add($"require_certificate {(_settings.RequireClientCertificate ? "true" : "false")}");
        }

        if (_settings.WebSocket)
        {
            // Beside the plain listener, always: mosquitto 2.0.11 ends at the start when it has none but WebSocket listeners. And to all interfaces, because it
            // takes an address here for the name of an interface.
            lines.AddRange([$"listener {_webSocketPort}", "protocol websockets"]);
            if (Certificates is { } secure)
            {
                lines.AddRange([$"cafile {secure.CaFile}", $"certfile {secure.ServerCertificate}", $"keyfile {secure.ServerKey}"]);
            }
        }

        lines.AddRange(_settings.ExtraLines);
        File.WriteAllLines(Path.Combine(Folder, "mosquitto.conf"), lines);
    }
}

/// <summary>How a test broker is set up.</summary>
public sealed record MosquittoSettings
{
    /// <summary>Keeps sessions and retained messages over a clean restart.</summary>
    public bool Persistent { get; init; }

    /// <summary>Listens on a second port for MQTT over WebSocket, with TLS where the other has it.</summary>
    public bool WebSocket { get; init; }

    /// <summary>Names and addresses in the server certificate; any name switches TLS on.</summary>
    public IReadOnlyList<string> TlsNames { get; init; } = [];

    /// <summary>Demands a certificate of the broker's own authority from clients.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>Names and passwords; empty allows everybody.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    /// <summary>Further lines of the configuration file.</summary>
    public IReadOnlyList<string> ExtraLines { get; init; } = [];
}
