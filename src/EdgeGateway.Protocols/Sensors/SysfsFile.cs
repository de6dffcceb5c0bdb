using System.Buffers.Text;
using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>A file of sysfs that is kept open and read anew from its start each time: the kernel makes its text at that moment. Reading allocates nothing.</summary>
internal sealed class SysfsFile : IDisposable
{
    // The longest is the answer of a 1-Wire thermometer, of some eighty characters.
    private const int Room = 256;

    private readonly byte[] _text = new byte[Room];
    private readonly SafeFileHandle _file;

    private SysfsFile(SafeFileHandle file) => _file = file;

    /// <summary>Opens a file.</summary>
    /// <returns>The file; null with the kernel's number of the error.</returns>
    public static SysfsFile? Open(string path, out int error)
    {
        var number = Libc.Open(path, Libc.CloseOnExec);
        error = number < 0 ? Marshal.GetLastPInvokeError() : 0;
        return number < 0 ? null : new(new SafeFileHandle(number, ownsHandle: true));
    }

    /// <summary>The text as it is now; only valid until the next read.</summary>
    /// <param name="error">The kernel's number of the error; 0 when there is a text, which may be empty.</param>
    public unsafe ReadOnlySpan<byte> Read(out int error)
    {
        nint count;
        fixed (byte* start = _text)
        {
            do
            {
                count = Libc.ReadAt(_file, start, Room, 0);
                error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (error == Libc.Interrupted);
        }

        return count <= 0 ? [] : _text.AsSpan(0, (int)count);
    }

    /// <summary>The number that the text is, with nothing but the line's end after it.</summary>
    /// <param name="value">The number.</param>
    /// <param name="error">The kernel's number of the error, or 0.</param>
    /// <returns>Whether there is a number.</returns>
    public bool TryRead(out double value, out int error) => TryParse(Read(out error), out value);

    /// <summary>The number that a text is, with nothing but blanks after it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out double value) =>
        Utf8Parser.TryParse(text, out value, out var used) && text[used..].Trim(" \n"u8).IsEmpty && double.IsFinite(value);

    public void Dispose() => _file.Dispose();
}
