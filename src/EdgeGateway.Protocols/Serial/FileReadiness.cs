using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>Tells once, each time it is asked, that a file can be read or written. Linux only.</summary>
/// <remarks>One thread of the process waits in epoll(7) for all files, and a file takes part only while it is asked for (EPOLLONESHOT).</remarks>
/// <param name="file">A socket that does not block, the lines of a GPIO chip, or whatever else poll(2) knows.</param>
/// <param name="owner">Put on the thread pool when it is ready; it may be told in vain, and must try.</param>
internal sealed class FileReadiness(SafeHandle file, IThreadPoolWorkItem owner) : IDisposable
{
    private static readonly Lazy<Waiter> s_waiter = new(static () => new Waiter());
    private static long s_lastId;

    private readonly long _id = Interlocked.Increment(ref s_lastId);
    private bool _isWatched;

    private SafeHandle File { get; } = file;

    private IThreadPoolWorkItem Owner { get; } = owner;

    /// <summary>Asks to be told once of any of these events, or that the file is broken. One caller at a time.</summary>
    /// <exception cref="IOException">The kernel does not watch it; the message holds its words.</exception>
    public void Arm(uint events) => s_waiter.Value.Arm(this, events);

    /// <summary>Nothing is told any more. The file is closed by its owner, afterwards.</summary>
    public void Dispose()
    {
        // One that never waited takes no part, and must not start what does the waiting.
        if (_isWatched)
        {
            s_waiter.Value.Remove(this);
        }
    }

    /// <summary>The one thread that waits for all files.</summary>
    private sealed unsafe class Waiter
    {
        private const int Room = 64;

        private readonly ConcurrentDictionary<long, FileReadiness> _watched = new();

        // For the life of the process.
        private readonly int _epoll;

        public Waiter()
        {
            _epoll = Libc.EpollCreate(Libc.CloseOnExec);
            if (_epoll < 0)
            {
                throw Failed("cannot wait for files");
            }

            new Thread(Run) { IsBackground = true, Name = "readiness" }.Start();
        }

        public void Arm(FileReadiness one, uint events)
        {
            if (!one._isWatched)
            {
                _watched[one._id] = one;
            }

            Span<byte> happening = stackalloc byte[Libc.EpollEvent.MaxSize];
            Libc.EpollEvent.Write(happening, events | Libc.EpollOneShot, one._id);
            fixed (byte* start = happening)
            {
                if (Libc.EpollControl(_epoll, one._isWatched ? Libc.EpollModify : Libc.EpollAdd, one.File, start) < 0)
                {
                    var failed = Failed("the kernel does not watch a file");
                    Forget(one);
                    throw failed;
                }
            }

            one._isWatched = true;
        }

        public void Remove(FileReadiness one)
        {
            Forget(one);

            // The kernel forgets a file by itself only when its last descriptor is closed, and another process may hold one.
            if (!one.File.IsClosed)
            {
                _ = Libc.EpollControl(_epoll, Libc.EpollRemove, one.File, null);
            }
        }

        private void Forget(FileReadiness one)
        {
            _watched.TryRemove(one._id, out _);
            one._isWatched = false;
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
                        throw Failed("waiting for files failed");
                    }

                    for (var i = 0; i < count; i++)
                    {
                        if (_watched.TryGetValue(Libc.EpollEvent.Data(happened[(i * Libc.EpollEvent.Size)..]), out var one))
                        {
                            ThreadPool.UnsafeQueueUserWorkItem(one.Owner, preferLocal: false);
                        }
                    }
                }
            }
        }
    }
}
