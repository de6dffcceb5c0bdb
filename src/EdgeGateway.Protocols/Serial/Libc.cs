using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Serial;

/// <summary>The few kernel calls that serial ports, GPIO lines and sensors need, and the waiting for files. Linux only; numbers are those of x86, Arm and RISC-V.</summary>
internal static unsafe partial class Libc
{
    public const int ReadWrite = 0x0002;
    public const int NoControllingTerminal = 0x0100;
    public const int NonBlocking = 0x0800;
    public const int CloseOnExec = 0x80000;

    public const short PollIn = 0x0001;
    public const short PollOut = 0x0004;
    public const short PollError = 0x0008;
    public const short PollHangUp = 0x0010;

    public const int EpollAdd = 1;
    public const int EpollRemove = 2;
    public const int EpollModify = 3;
    public const uint EpollIn = 0x001;
    public const uint EpollOut = 0x004;
    public const uint EpollPeerClosed = 0x2000;
    public const uint EpollOneShot = 1u << 30;

    public const int SetDescriptorFlags = 2;
    public const int GetFileFlags = 3;
    public const int SetFileFlags = 4;
    public const int DescriptorCloseOnExec = 1;

    public const int SocketLevel = 1;
    public const int PassDescriptors = 1;
    public const int MessageCloseOnExec = 0x40000000;
    public const int MessageNoSignal = 0x4000;
    public const int MessageControlTruncated = 0x8;

    public const int ReadAndWrite = 6;
    public const int WorkingFolder = -100;
    public const int EffectiveUser = 0x200;
    public const uint BasicFacts = 0x7FF;

    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;

    public const nuint GetTermios2 = 0x802C542A;
    public const nuint SetTermios2AndFlush = 0x402C542D;
    public const nuint SetExclusive = 0x540C;
    public const nuint FlushQueues = 0x540B;
    public const nint FlushBoth = 2;
    public const nuint SetRs485 = 0x542F;
    public const nuint GetSerial = 0x541E;
    public const nuint SetSerial = 0x541F;

    public const int SetTimerSlack = 29;
    public const int FirstInFirstOut = 1;

    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoSuchDevice = 6;
    public const int TryAgain = 11;
    public const int NotPermitted = 1;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int DeviceGone = 19;
    public const int Invalid = 22;
    public const int TooManyFiles = 24;
    public const int NotATerminal = 25;
    public const int NoData = 61;
    public const int TimedOut = 110;
    public const int RemoteIo = 121;

    /// <summary>Why the last call failed: the system's words and the number.</summary>
    public static string LastError()
    {
        var error = Marshal.GetLastPInvokeError();
        return $"{Marshal.GetPInvokeErrorMessage(error)}, errno {error}";
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(SafeFileHandle file, byte* buffer, nuint count, nint offset);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    /// <summary>ppoll(2): poll with a time limit in nanoseconds.</summary>
    /// <param name="entries">What to wait for.</param>
    /// <param name="count">How many.</param>
    /// <param name="limit">How long at most; negative for as long as nothing happens.</param>
    public static int PrecisePoll(PollEntry* entries, nuint count, TimeSpan limit)
    {
        if (limit < TimeSpan.Zero)
        {
            return PrecisePoll(entries, count, null, 0);
        }

        TimeSpecification wait = new() { Seconds = (nint)(limit.Ticks / TimeSpan.TicksPerSecond), Nanoseconds = (nint)(limit.Ticks % TimeSpan.TicksPerSecond * 100) };
        return PrecisePoll(entries, count, &wait, 0);
    }

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    private static partial int PrecisePoll(PollEntry* entries, nuint count, TimeSpecification* limit, nint signals);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ProcessControl(int option, nuint argument, nuint unused3, nuint unused4, nuint unused5);

    /// <summary>sched_setscheduler(2); struct sched_param is one number.</summary>
    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    public static partial int SetScheduler(int thread, int policy, int* priority);

    /// <summary>access(2) for the effective user: whether a file may be read and written; nothing is opened.</summary>
    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MayUse(int folder, string path, int mode, int flags);

    /// <summary>statx(2); what it tells is laid out alike on all machines: see <see cref="FileFacts"/>.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int folder, string path, int flags, uint mask, FileFacts* facts);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint start, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    /// <summary>epoll_ctl(2); the event is laid out as <see cref="EpollEvent"/> says.</summary>
    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, SafeHandle file, byte* happening);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* happened, int room, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, Termios2* settings);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, SerialRs485* direction);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, int* info);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeFileHandle file, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(SafeFileHandle file, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(SafeHandle socket, MessageHeader* message, int flags);

    /// <summary>struct msghdr. Some C libraries have 32-bit lengths with padding behind them; as the numbers are small and little-endian, that is the same.</summary>
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public MessagePart* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct iovec.</summary>
    public struct MessagePart
    {
        public void* Start;
        public nuint Length;
    }

    /// <summary>struct cmsghdr; its data follow, aligned to a machine word.</summary>
    public struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    /// <summary>struct timespec as the C library of this word size has it.</summary>
    private struct TimeSpecification
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    /// <summary>struct statx, as far as it is needed.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct FileFacts
    {
        [FieldOffset(24)]
        public uint Group;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(128)]
        public uint DeviceMajor;

        [FieldOffset(132)]
        public uint DeviceMinor;

        [FieldOffset(136)]
        public uint FileSystemMajor;

        [FieldOffset(140)]
        public uint FileSystemMinor;
    }

    /// <summary>struct pollfd.</summary>
    public struct PollEntry
    {
        public int File;
        public short Events;
        public short Happened;
    }

    /// <summary>struct epoll_event: a number of 32 bits and one of 64, packed on x86 and x64 and aligned everywhere else (EPOLL_PACKED of linux/eventpoll.h).</summary>
    public static class EpollEvent
    {
        public const int MaxSize = 16;

        private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;

        public static int Size => s_dataAt + sizeof(long);

        public static void Write(Span<byte> happening, uint events, long data)
        {
            MemoryMarshal.Write(happening, events);
            MemoryMarshal.Write(happening[s_dataAt..], data);
        }

        public static long Data(ReadOnlySpan<byte> happening) => MemoryMarshal.Read<long>(happening[s_dataAt..]);
    }

    /// <summary>struct serial_rs485 of linux/serial.h.</summary>
    public struct SerialRs485
    {
        public const uint Enabled = 1 << 0;
        public const uint RtsOnSend = 1 << 1;
        public const uint RtsAfterSend = 1 << 2;
        public const uint ReceiveDuringSend = 1 << 4;
        public const uint TerminateBus = 1 << 5;

        public uint Flags;
        public uint DelayBeforeSend;
        public uint DelayAfterSend;
        public fixed uint Padding[5];
    }

    /// <summary>struct termios2 of asm-generic/termbits.h: unlike termios it takes any baud rate as a number.</summary>
    public struct Termios2
    {
        public const uint IgnoreBreak = 0x0001;
        public const uint InputParityCheck = 0x0010;
        public const uint IgnoreParityErrors = 0x0004;

        public const uint BaudMask = 0x100F;
        public const uint BaudIsNumber = 0x1000;
        public const int InputBaudShift = 16;
        public const uint TwoStopBits = 0x0040;
        public const uint EnableReceiver = 0x0080;
        public const uint EnableParity = 0x0100;
        public const uint OddParity = 0x0200;
        public const uint IgnoreModemLines = 0x0800;

        public const int MinimumIndex = 6;
        public const int TimeIndex = 5;

        public uint Input;
        public uint Output;
        public uint Control;
        public uint Local;
        public byte Line;
        public fixed byte Characters[19];
        public uint InputSpeed;
        public uint OutputSpeed;
    }
}
