using System.Globalization;

namespace EdgeGateway.Storage;

/// <summary>
/// A file of a few megabytes that holds nothing. When others have filled the file system it is released, so that the store can go on
/// inside the space it has (requirement E-4).
/// </summary>
/// <remarks>
/// Releasing and restoring are each one step for the file system, and both may be repeated: after a crash in between, the file is there, too
/// short, or missing, and the next <see cref="TryRestore"/> makes it whole.
/// </remarks>
internal sealed class Ballast(string path, long bytes)
{
    /// <summary>Length of the whole ballast; 0 for a store too small to have one.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>True when the whole ballast is in place.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Why it could not be put in place last time, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Puts the ballast in place, really allocated; true when it is there, whole.</summary>
    public bool TryRestore()
    {
        if (IsWhole || Bytes == 0)
        {
            return IsWhole = true;
        }

        try
        {
            using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1);
            Allocate(file, Bytes);
            Problem = null;
            return IsWhole = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Half a ballast would take space and could not be relied on.
            Release();
            Problem = string.Create(CultureInfo.InvariantCulture, $"{path} of {Bytes} bytes cannot be made: {e.Message}");
            return false;
        }
    }

    /// <summary>Gives its space to the file system.</summary>
    public void Release()
    {
        IsWhole = false;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = $"{path} cannot be released: {e.Message}";
        }
    }

    private static void Allocate(FileStream file, long bytes)
    {
        if (Durable.TryAllocate(file.SafeFileHandle, bytes) == Durable.Allocation.NotSupported)
        {
            // Noise: a file system that packs zeros would keep no space for them.
            var noise = new byte[64 * 1024];
            new Random(1).NextBytes(noise);
            file.Position = 0;
            for (var left = bytes; left > 0; left -= noise.Length)
            {
                file.Write(noise, 0, (int)Math.Min(left, noise.Length));
            }

            file.Flush(flushToDisk: true);
        }

        file.SetLength(bytes);
    }
}
