using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using EdgeGateway.Protocols.Gpio;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.GpioTrial;

/// <summary>
/// A service manager in small: keeps descriptors that a service sends (FDSTORE=1 to <c>$NOTIFY_SOCKET</c>) and hands them to its next process from number 3 on, as systemd does
/// (sd_pid_notify_with_fds(3), sd_listen_fds(3)).
/// </summary>
internal sealed partial class ServiceStore : IDisposable
{
    private const int FirstDescriptor = 3;

    // Between the numbers that they have here and those that they get, which may overlap.
    private const int Aside = 200;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _path;
    private readonly Dictionary<string, SafeFileHandle> _kept = [];

    public ServiceStore(string path)
    {
        _path = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        new Thread(Listen) { IsBackground = true }.Start();
    }

    /// <summary>How many descriptors are kept now.</summary>
    public int Count
    {
        get
        {
            lock (_kept)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>Starts a service with what is kept for it.</summary>
    public Process Start(params string[] command)
    {
        lock (_kept)
        {
            var kept = _kept.ToList();
            var numbers = kept.ConvertAll(k => (int)k.Value.DangerousGetHandle());
            var script = new StringBuilder();
            for (var i = 0; i < numbers.Count; i++)
            {
                script.Append($"exec {Aside + i}<&{numbers[i]} {numbers[i]}<&-\n");
            }

            for (var i = 0; i < numbers.Count; i++)
            {
                script.Append($"exec {FirstDescriptor + i}<&{Aside + i} {Aside + i}<&-\n");
            }

            script.Append($"export NOTIFY_SOCKET={_path} FDSTORE=64\n");
            if (numbers.Count > 0)
            {
                script.Append($"export LISTEN_PID=$$ LISTEN_FDS={numbers.Count} LISTEN_FDNAMES={string.Join(':', kept.Select(k => k.Key))}\n");
            }

            script.Append("exec \"$@\"\n");
            numbers.ForEach(number => SetFlags(number, 0));
            try
            {
                return Programs.Start(["bash", "-c", script.ToString(), "service", .. command]);
            }
            finally
            {
                numbers.ForEach(number => SetFlags(number, CloseOnExec));
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        lock (_kept)
        {
            foreach (var descriptor in _kept.Values)
            {
                descriptor.Dispose();
            }

            _kept.Clear();
        }
    }

    private void Listen()
    {
        var text = new byte[512];
        while (true)
        {
            int length;
            SafeFileHandle[] descriptors;
            try
            {
                length = DescriptorPassing.Receive(_socket, text, out descriptors);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                return;
            }

            var lines = Encoding.UTF8.GetString(text, 0, length).Split('\n').Select(l => l.Split('=', 2)).Where(l => l.Length == 2).ToDictionary(l => l[0], l => l[1]);
            lock (_kept)
            {
                var name = lines.GetValueOrDefault("FDNAME", "");
                if (lines.ContainsKey("FDSTOREREMOVE") && _kept.Remove(name, out var removed))
                {
                    removed.Dispose();
                }
                else if (lines.ContainsKey("FDSTORE"))
                {
                    _kept[name] = descriptors.Single();
                }
            }
        }
    }

    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;

    private static void SetFlags(int descriptor, int flags) => _ = FileControl(descriptor, SetDescriptorFlags, flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command, int argument);
}
