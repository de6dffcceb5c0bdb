namespace EdgeGateway.Protocols;

/// <summary>Small texts that the kernel shows as files under <c>/sys</c> and <c>/proc</c>.</summary>
public static class KernelText
{
    /// <summary>The text of a file without what surrounds it.</summary>
    /// <returns>The text; null when there is none, it went at this moment (a device was pulled, a process ended), or this user must not read it.</returns>
    public static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
