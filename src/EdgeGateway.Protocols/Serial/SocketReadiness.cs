using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>Tells once, each time it is asked, that a socket can be read or written.</summary>
/// <remarks>
/// The asynchronous calls of <see cref="Socket"/> leave the socket in the runtime's epoll for good: from then on two threads wake up at every packet, also when
/// the answer is waited for in the call itself. Here one thread of the process waits in epoll(7), and a socket takes part only while it is
/// asked for (EPOLLONESHOT). Elsewhere than on Linux a peek of the runtime does the waiting.
/// </remarks>
internal sealed class SocketReadiness : IDisposable
{
    private static readonly Lazy<Waiter> s_waiter = new(static () => new Waiter());
    private static long s_lastId;

    private readonly Socket _socket;
    private readonly IThreadPoolWorkItem _owner;
    private readonly byte[]? _peeked;
    private readonly long _id;
    private bool _isWatched;
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
        _id = Interlocked.Increment(ref s_lastId);
    }

    /// <summary>Asks to be told once when there is something to read, or the connection is over. One caller at a time.</summary>
    /// <exception cref="IOException">The kernel does not watch it; the message holds its words.</exception>
    public void ArmRead()
    {
        if (_peeked is null)
        {
            s_waiter.Value.Arm(this, Libc.EpollIn | Libc.EpollPeerClosed);
        }
        else if (Interlocked.Exchange(ref _isPeeking, 1) == 0)
        {
            // It ends with the socket.
            _ = PeekAsync();
        }
    }

    /// <summary>Asks to be told once when a connection that is being made stands or has failed. Linux only. One caller at a time.</summary>
    /// <exception cref="IOException">The kernel does not watch it; the message holds its words.</exception>
    public void ArmConnect() => s_waiter.Value.Arm(this, Libc.EpollOut);

    /// <summary>Nothing is told any more. The socket is closed by its owner, afterwards.</summary>
    public void Dispose()
    {
        // One that never waited takes no part, and must not start what does the waiting.
        if (_isWatched)
        {
            s_waiter.Value.Remove(this);
        }
    }

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

    /// <summary>The one thread that waits for all sockets.</summary>
    private sealed unsafe class Waiter
    {
        private const int Room = 64;

        private readonly ConcurrentDictionary<long, SocketReadiness> _watched = new();

        // For the life of the process.
        private readonly int _epoll;

        public Waiter()
        {
            _epoll = Libc.EpollCreate(Libc.CloseOnExec);
            if (_epoll < 0)
            {
                throw Failed("cannot wait for sockets");
            }

            new Thread(Run) { IsBackground = true, Name = "sockets" }.Start();
        }

        public void Arm(SocketReadiness socket, uint events)
        {
            if (!socket._isWatched)
            {
                _watched[socket._id] = socket;
            }

            Span<byte> happening = stackalloc byte[Libc.EpollEvent.MaxSize];
            Libc.EpollEvent.Write(happening, events | Libc.EpollOneShot, socket._id);
            fixed (byte* start = happening)
            {
                if (Libc.EpollControl(_epoll, socket._isWatched ? Libc.EpollModify : Libc.EpollAdd, socket._socket.SafeHandle, start) < 0)
                {
                    var failed = Failed("the kernel does not watch a socket");
                    Remove(socket);
                    throw failed;
                }
            }

            socket._isWatched = true;
        }

        public void Remove(SocketReadiness socket)
        {
            _watched.TryRemove(socket._id, out _);
            socket._isWatched = false;
        }

        private static IOException Failed(string what) => new($"{what}: {Libc.LastError()}");

        private void Run()
        {
            Span<byte> happened = stackalloc byte[Room * Libc.EpollEvent.MaxSize];
            fixed (byte* start = happened)
            {
                while (true)
                {
                    var count = Libc.EpollWait(_epoll, start, Room, -1);
                    if (count < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted)
                    {
                        throw Failed("waiting for sockets failed");
                    }

                    for (var i = 0; i < count; i++)
                    {
                        if (_watched.TryGetValue(Libc.EpollEvent.Data(happened[(i * Libc.EpollEvent.Size)..]), out var socket))
                        {
                            ThreadPool.UnsafeQueueUserWorkItem(socket._owner, preferLocal: false);
                        }
                    }
                }
            }
        }
    }
}
