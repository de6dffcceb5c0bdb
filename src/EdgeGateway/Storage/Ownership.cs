using System.Diagnostics;

namespace EdgeGateway.Storage;

/// <summary>What root makes for the service must be the service's: files are given to whoever owns a directory.</summary>
internal static class Ownership
{
    /// <summary>Gives files to the owner and the group of a directory; nothing where this is not root on Linux.</summary>
    /// <param name="like">The directory.</param>
    /// <param name="files">What is given; a link itself, not what it leads to.</param>
    /// <exception cref="IOException">The owner could not be set; the message says of what and why.</exception>
    public static void Give(string like, params IReadOnlyCollection<string> files)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess || files.Count == 0)
        {
            return;
        }

        using var change = Process.Start(new ProcessStartInfo("chown", ["--no-dereference", $"--reference={like}", "--", .. files]) { RedirectStandardError = true });
        var said = change?.StandardError.ReadToEnd();
        change?.WaitForExit();
        if (change?.ExitCode != 0)
        {
            throw new IOException($"the owner of {string.Join(", ", files)} could not be set ({said?.Trim()}): give {(files.Count == 1 ? "it" : "them")} to the owner of {like}");
        }
    }
}
