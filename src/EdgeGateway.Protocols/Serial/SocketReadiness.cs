using System.Net.Sockets;

namespace EdgeGateway.Protocols.Serial;

/// <summary>Tells once, each time it is asked, that a socket can be read or written.</summary>
/// <remarks>
/// The asynchronous calls of <see cref="Socket"/> leave the socket in the runtime's epoll for good: from then on two threads wake up at every packet, also when
/// the answer is waited for in the call itself. Here <see cref="FileReadiness"/> does the waiting. Elsewhere than on Linux a peek of the runtime does it.
/// </remarks>
internal sealed class SocketReadiness : IDisposable
{
    private readonly Socket _socket;
    private readonly IThreadPoolWorkItem _owner;
    private readonly byte[]? _peeked;
    private FileReadiness? _readiness;
    private int _isPeeking;

    /// <summary>Watches a socket that does not block.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="owner">Put on the thread pool when it is ready; it may be told in vain, and must try.</param>
    /// <param name="isPortable">True to do without epoll.</param>
    public SocketReadiness(Socket socket, IThreadPoolWorkItem owner, bool isPortable)
    {
        _socket = socket;
        _owner = owner;
        _peeked = isPortable ? new byte[1] : null;
    }

    /// <summary>Asks to be told once when there is something to read, or the connection is over. One caller at a time.</summary>
    /// <exception cref="IOException">The kernel does not watch it; the message holds its words.</exception>
    public void ArmRead()
    {
        if (_peeked is null)
        {
            Arm(Libc.EpollIn | Libc.EpollPeerClosed);
        }
        else if (Interlocked.Exchange(ref _isPeeking, 1) == 0)
        {
            // It ends with the socket.
            _ = PeekAsync();
        }
    }

    /// <summary>Asks to be told once when a connection that is being made stands or has failed. Linux only. One caller at a time.</summary>
    /// <exception cref="IOException">The kernel does not watch it; the message holds its words.</exception>
    public void ArmConnect() => Arm(Libc.EpollOut);

    /// <summary>Nothing is told any more. The socket is closed by its owner, afterwards.</summary>
    public void Dispose() => _readiness?.Dispose();

    private void Arm(uint events) => (_readiness ??= new(_socket.SafeHandle, _owner)).Arm(events);

    private async Task PeekAsync()
    {
        try
        {
            await _socket.ReceiveAsync(_peeked!, SocketFlags.Peek).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // Whatever is wrong with the socket, the owner meets it too when it tries.
        }

        Volatile.Write(ref _isPeeking, 0);
        ThreadPool.UnsafeQueueUserWorkItem(_owner, preferLocal: false);
    }
}
