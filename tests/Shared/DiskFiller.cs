namespace EdgeGateway.Tests.Shared;

/// <summary>Another program that writes a log file until the file system has no byte left.</summary>
/// <param name="directory">Where it writes.</param>
internal sealed class DiskFiller(string directory)
{
    private readonly string _file = Path.Combine(directory, "another-program.log");

    /// <summary>Writes until not one byte fits. May be called again and again.</summary>
    public void Fill()
    {
        using var file = new FileStream(_file, FileMode.Append, FileAccess.Write, FileShare.Read, 1);
        var block = new byte[1 << 16];
        for (var size = block.Length; size > 0;)
        {
            try
            {
                file.Write(block, 0, size);
                file.Flush();
            }
            catch (IOException)
            {
                // No room for so much: less, until not one byte fits.
                size /= 2;
            }
        }
    }

    /// <summary>Takes the file away.</summary>
    public void Free() => File.Delete(_file);
}
