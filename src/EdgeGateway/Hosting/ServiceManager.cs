using System.Globalization;
using System.Net.Sockets;
using System.Text;
using EdgeGateway.Protocols.Gpio;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Hosting;

/// <summary>
/// Tells the service manager how the program is: the protocol of <c>sd_notify(3)</c>, datagrams of <c>NAME=value</c> lines on the Unix socket that
/// <c>$NOTIFY_SOCKET</c> names. Nothing is told when the variable is not set.
/// </summary>
internal sealed class ServiceManager : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly UnixDomainSocketEndPoint _manager;
    private readonly Lock _gate = new();
    private Socket? _descriptors;

    /// <param name="socket">Path of the socket; one that begins with <c>@</c> stands in the abstract name space.</param>
    /// <param name="watchdogInterval">How long the manager waits for a sign of life; null when it does not watch.</param>
    /// <exception cref="ArgumentException">No socket can have this path.</exception>
    public ServiceManager(string socket, TimeSpan? watchdogInterval)
    {
        // A manager whose queue is full (10 messages by default, net.unix.max_dgram_qlen) must not hold up the loop that tells it something.
        _socket.SendTimeout = 1000;
        _manager = new UnixDomainSocketEndPoint(socket.StartsWith('@') ? '\0' + socket[1..] : socket);
        WatchdogInterval = watchdogInterval;
    }

    /// <summary>How long the manager waits for a sign of life (<c>WatchdogSec=</c>); null when it does not watch.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>Why the last message did not reach the manager, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>The manager that the environment names, or null. The watchdog counts only when it is meant for this process (<c>sd_watchdog_enabled(3)</c>).</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <param name="processId">This process.</param>
    public static ServiceManager? FromEnvironment(Func<string, string?> variable, int processId)
    {
        if (variable("NOTIFY_SOCKET") is not { Length: > 1 } socket || socket[0] is not ('/' or '@'))
        {
            return null;
        }

        TimeSpan? interval = null;
        if (long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            && (variable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == processId.ToString(CultureInfo.InvariantCulture)))
        {
            interval = TimeSpan.FromMicroseconds(microseconds);
        }

        return new ServiceManager(socket, interval)
        {
            KeepsDescriptors = int.TryParse(variable("FDSTORE"), NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most > 0,
        };
    }

    /// <summary>Start-up is complete, or a reload is.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>Another configuration is being taken over. The time is for <c>Type=notify-reload</c>.</summary>
    /// <param name="time">The monotonic clock.</param>
    public void Reloading(TimeProvider time) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={(long)(time.GetTimestamp() / (double)time.TimestampFrequency * 1e6)}\nSTATUS=Taking over another configuration"));

    /// <summary>The program is about to end.</summary>
    public void Stopping() => Send("STOPPING=1\nSTATUS=Stopping");

    /// <summary>Sends lines; from any thread. A manager that does not listen is no reason to stop: <see cref="Problem"/> says so.</summary>
    public void Send(string lines)
    {
        try
        {
            lock (_gate)
            {
                _socket.SendTo(Encoding.UTF8.GetBytes(lines), _manager);
            }

            Problem = null;
        }
        catch (SocketException e)
        {
            Problem = e.Message;
        }
        catch (ObjectDisposedException)
        {
            // The last word has been said.
        }
    }

    /// <summary>Whether the manager keeps descriptors for the next start of this program (<c>FileDescriptorStoreMax=</c>).</summary>
    public bool KeepsDescriptors { get; init; }

    /// <summary>Has a copy of a descriptor kept for the next start of this program.</summary>
    /// <param name="name">Its name then.</param>
    /// <param name="descriptor">The descriptor, which stays the caller's.</param>
    public void Keep(string name, SafeFileHandle descriptor)
    {
        try
        {
            lock (_gate)
            {
                if (_descriptors is null)
                {
                    _descriptors = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
                    _descriptors.Connect(_manager);
                }

                DescriptorPassing.Send(_descriptors, Encoding.UTF8.GetBytes($"FDSTORE=1\nFDNAME={name}"), descriptor);
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Problem = e.Message;
        }
    }

    /// <summary>Lets go of a descriptor that is kept.</summary>
    public void Forget(string name) => Send($"FDSTOREREMOVE=1\nFDNAME={name}");

    public void Dispose()
    {
        _socket.Dispose();
        _descriptors?.Dispose();
    }
}
