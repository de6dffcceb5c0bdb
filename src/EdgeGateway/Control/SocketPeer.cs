using System.Buffers.Binary;
using System.Globalization;
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
        if (!OperatingSystem.IsLinux() || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
        {
            return "local user";
        }

        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length
            ? Describe(BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..]))
            : "local user";
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
