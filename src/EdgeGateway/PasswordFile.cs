namespace EdgeGateway;

/// <summary>Secrets stand in files of their own, one in each.</summary>
internal static class PasswordFile
{
    /// <summary>The password in a file, without the line end behind it; null when there is no file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string? Read(string? path) => path is null ? null : File.ReadAllText(path).TrimEnd('\r', '\n');
}
