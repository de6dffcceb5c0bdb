using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Box;

/// <summary>A small file that the kernel makes up when it is read. The descriptor is kept; reading allocates nothing.</summary>
/// <param name="path">Where it is.</param>
internal sealed class KernelFile(string path) : IDisposable
{
    private SafeFileHandle? _file;

    /// <summary>Where it is.</summary>
    public string Path => path;

    /// <summary>Why the last read failed, in the system's words; null when the file is not there.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads its text from the begin.</summary>
    /// <param name="buffer">Receives the text; what does not fit is left out.</param>
    /// <returns>What was read without white space around it; empty when there is nothing to be had.</returns>
    public ReadOnlySpan<byte> Read(Span<byte> buffer)
    {
        try
        {
            if (_file is null)
            {
                Problem = null;
                if (!File.Exists(path))
                {
                    return [];
                }

                _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }

            return Trimmed(buffer[..RandomAccess.Read(_file, buffer, 0)]);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The sensor was pulled, its driver is gone, or it did not answer: opened anew next time.
            Dispose();
            Problem = unreadable.Message;
            return [];
        }
    }

    /// <summary>Reads one whole number, decimal or with <c>0x</c> before it.</summary>
    public bool TryRead(out long number)
    {
        Span<byte> buffer = stackalloc byte[64];
        return TryParse(Read(buffer), out number);
    }

    /// <summary>Reads a whole number at the begin of a text, decimal or with <c>0x</c> before it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long number) => text.StartsWith("0x"u8)
        ? Utf8Parser.TryParse(text[2..], out number, out _, 'X')
        : Utf8Parser.TryParse(text, out number, out _);

    /// <summary>A word of a text by its place, from 0; empty when there are not so many.</summary>
    public static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> text, int place)
    {
        for (; ; place--)
        {
            text = Trimmed(text);
            var end = text.IndexOfAny(" \t\n"u8);
            var word = end < 0 ? text : text[..end];
            if (place == 0 || end < 0)
            {
                return place == 0 ? word : [];
            }

            text = text[end..];
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> text) => text.Trim(" \t\n\0"u8);
}
