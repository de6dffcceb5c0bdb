using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>Hands descriptors to another process over a Unix socket (SCM_RIGHTS, unix(7)), with a text beside them.</summary>
/// <remarks>
/// To systemd's descriptor store: a datagram to <c>$NOTIFY_SOCKET</c> with the text <c>FDSTORE=1\nFDNAME=name</c>; at the next start the descriptors come from number
/// 3 on, named by <c>$LISTEN_FDNAMES</c> (sd_pid_notify_with_fds(3), sd_listen_fds(3)).
/// </remarks>
public static unsafe class DescriptorPassing
{
    /// <summary>The most descriptors of one message (SCM_MAX_FD).</summary>
    public const int MaxDescriptors = 253;

    private static readonly int s_headerSize = sizeof(Libc.ControlHeader);

    /// <summary>Sends a text and copies of descriptors in one message.</summary>
    /// <param name="socket">A connected Unix socket; on a stream at least one byte of text goes along.</param>
    /// <param name="text">What goes along.</param>
    /// <param name="descriptors">What is copied; they stay the caller's.</param>
    /// <exception cref="IOException">The message did not go as a whole; the message holds the kernel's words.</exception>
    public static void Send(Socket socket, ReadOnlySpan<byte> text, params ReadOnlySpan<SafeFileHandle> descriptors)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentOutOfRangeException.ThrowIfZero(text.Length, nameof(text));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors, nameof(descriptors));
        var control = stackalloc nuint[Words(descriptors.Length)];
        var held = 0;
        try
        {
            var header = (Libc.ControlHeader*)control;
            header->Length = (nuint)(s_headerSize + (descriptors.Length * sizeof(int)));
            header->Level = Libc.SocketLevel;
            header->Type = Libc.PassDescriptors;
            var numbers = (int*)((byte*)control + s_headerSize);
            foreach (var descriptor in descriptors)
            {
                var added = false;
                descriptor.DangerousAddRef(ref added);
                numbers[held++] = (int)descriptor.DangerousGetHandle();
            }

            fixed (byte* start = text)
            {
                Libc.MessagePart part = new() { Start = start, Length = (nuint)text.Length };
                Libc.MessageHeader message = new() { Parts = &part, PartCount = 1 };
                if (held > 0)
                {
                    message.Control = control;
                    message.ControlLength = (nuint)(Words(held) * sizeof(nuint));
                }

                var sent = Libc.SendMessage(socket.SafeHandle, &message, Libc.MessageNoSignal);
                if (sent != text.Length)
                {
                    throw new IOException(sent < 0 ? $"descriptors could not be handed over: {Libc.LastError()}" : $"descriptors were handed over with {sent} of {text.Length} bytes");
                }
            }
        }
        finally
        {
            for (var i = 0; i < held; i++)
            {
                descriptors[i].DangerousRelease();
            }
        }
    }

    /// <summary>Waits for a message, on a blocking socket, and takes it.</summary>
    /// <param name="socket">A Unix socket.</param>
    /// <param name="text">Where its text goes.</param>
    /// <param name="descriptors">What came along; the caller's now, and closed in programs that it starts.</param>
    /// <returns>Bytes of text; 0 when the other end of a stream is closed.</returns>
    /// <exception cref="IOException">Nothing could be received; the message holds the kernel's words.</exception>
    public static int Receive(Socket socket, Span<byte> text, out SafeFileHandle[] descriptors)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentOutOfRangeException.ThrowIfZero(text.Length, nameof(text));
        var control = stackalloc nuint[Words(MaxDescriptors)];
        fixed (byte* start = text)
        {
            Libc.MessagePart part = new() { Start = start, Length = (nuint)text.Length };
            Libc.MessageHeader message = new() { Parts = &part, PartCount = 1, Control = control, ControlLength = (nuint)(Words(MaxDescriptors) * sizeof(nuint)) };
            nint received;
            do
            {
                received = Libc.ReceiveMessage(socket.SafeHandle, &message, Libc.MessageCloseOnExec);
            }
            while (received < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);

            if (received < 0)
            {
                throw new IOException($"descriptors could not be received: {Libc.LastError()}");
            }

            descriptors = Taken(control, message.ControlLength);
            if ((message.Flags & Libc.MessageControlTruncated) == 0)
            {
                return (int)received;
            }

            foreach (var descriptor in descriptors)
            {
                descriptor.Dispose();
            }

            throw new IOException("descriptors were lost on the way: this process may have too many open files");
        }
    }

    private static SafeFileHandle[] Taken(nuint* control, nuint length)
    {
        var header = (Libc.ControlHeader*)control;
        if (length < (nuint)s_headerSize || header->Level != Libc.SocketLevel || header->Type != Libc.PassDescriptors)
        {
            return [];
        }

        var taken = new SafeFileHandle[((int)header->Length - s_headerSize) / sizeof(int)];
        var numbers = (int*)((byte*)control + s_headerSize);
        for (var i = 0; i < taken.Length; i++)
        {
            taken[i] = new(numbers[i], ownsHandle: true);
        }

        return taken;
    }

    /// <summary>Room for a header and this many descriptors, in machine words.</summary>
    private static int Words(int descriptors) => (s_headerSize + (descriptors * sizeof(int)) + sizeof(nuint) - 1) / sizeof(nuint);
}
