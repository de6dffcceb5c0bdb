using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Commands.Demo;

/// <summary>A mosquitto of our own on loopback, which can be stopped and started again.</summary>
internal sealed class PrivateBroker : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly Guard _guard;
    private readonly string _program;
    private readonly string _configuration;
    private ChildProcess? _process;

    public PrivateBroker(Guard guard, string program, string directory)
    {
        _guard = guard;
        _program = program;
        Port = FreePort.Choose();
        Directory.CreateDirectory(directory);
        _configuration = Path.Combine(directory, "mosquitto.conf");

        // The broker must not lose what it has acknowledged, or the count at the subscriber would blame the gateway. So: it keeps the
        // sessions of both clients and the messages on their way on disk, writes them at each change and once more at SIGTERM, and
        // queues without limit. A message that was acknowledged to the gateway a moment before the stop is then delivered after the
        // start (see also Subscriber).
        List<string> lines =
        [
            $"listener {Port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            $"persistence_location {directory}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
        ];
        if (Environment.IsPrivilegedProcess)
        {
            // Started by root, mosquitto would become another user, who may not write to our directory.
            lines.Add("user root");
        }

        File.WriteAllLines(_configuration, lines);
    }

    /// <summary>Stays the same over restarts.</summary>
    public int Port { get; }

    public bool IsUp => _process is { Exited.IsCompleted: false };

    public int? ProcessId => _process?.Id;

    /// <summary>Starts the broker and waits until it accepts connections.</summary>
    /// <exception cref="DemoException">It does not start.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        var process = _process = ChildProcess.Start(_guard, _program, ["-c", _configuration]);
        var begun = TimeProvider.System.GetTimestamp();
        while (!await AcceptsAsync(cancel).ConfigureAwait(false))
        {
            if (process.Exited.IsCompleted || TimeProvider.System.GetElapsedTime(begun) > StartLimit)
            {
                throw new DemoException($"The broker does not start:{Environment.NewLine}{process.LastLines}");
            }

            await Task.Delay(Step, TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>SIGTERM: the broker writes its sessions to disk and ends.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync().ConfigureAwait(false);
            _process = null;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task<bool> AcceptsAsync(CancellationToken cancel)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancel).ConfigureAwait(false);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
