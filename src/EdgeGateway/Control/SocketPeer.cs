using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace EdgeGateway.Control;

/// <summary>Who is at the other end of the control socket: the kernel knows, the client cannot choose.</summary>
internal static class SocketPeer
{
    // unix(7), getsockopt(2): SOL_SOCKET, SO_PEERCRED; the answer is pid, uid, gid.
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    /// <summary>The operating-system user of the client: <c>maria (uid 1000)</c>; <c>local user</c> where the system does not say.</summary>
    public static string Describe(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Uid(context) is { } uid ? Describe(uid) : "local user";
    }

    /// <summary>The number of the client's user; null where the system does not say.</summary>
    public static uint? Uid(HttpContext context) => context.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket ? Uid(socket) : null;

    /// <summary>The number of the user at the other end; null where the system does not say.</summary>
    public static uint? Uid(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length
            ? BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..])
            : null;
    }

    /// <summary>True when the user at the other end is root or the one this process runs as; false also where the system does not say.</summary>
    public static bool IsOwnOrRoot(uint? peer) => peer is { } uid && (uid == 0 || uid == OwnUid());

    // proc_pid_status(5): real, effective, saved and file system user.
    private static uint? OwnUid()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Uid:", StringComparison.Ordinal) && line.Split('\t') is [_, _, var effective, ..])
            {
                return uint.Parse(effective, CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    /// <summary>A user by number, with its name where <c>/etc/passwd</c> has one.</summary>
    public static string Describe(uint uid)
    {
        var number = uid.ToString(CultureInfo.InvariantCulture);
        if (File.Exists("/etc/passwd"))
        {
            foreach (var line in File.ReadLines("/etc/passwd"))
            {
                if (line.Split(':') is [var name, _, var id, ..] && id == number)
                {
                    return $"{name} (uid {number})";
                }
            }
        }

        return $"uid {number}";
    }
}
