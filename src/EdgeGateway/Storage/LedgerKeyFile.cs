using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Storage;

/// <summary>The device key beside the store: made at the first start, readable by nobody else. The public half lies beside it, for auditors.</summary>
internal static class LedgerKeyFile
{
    /// <summary>The private key, PKCS 8 in PEM, file mode 0600.</summary>
    public const string Name = "gateway.ledger-key.pem";

    /// <summary>The public key, PEM.</summary>
    public const string PublicName = "gateway.ledger-key.pub";

    /// <summary>Reads the key, or makes one.</summary>
    /// <param name="directory">Directory of the store.</param>
    /// <param name="problem">Why an existing file could not be used and a new key was made; null otherwise.</param>
    /// <exception cref="StoreException">It can neither be read nor written.</exception>
    public static DeviceKey LoadOrMake(string directory, out string? problem)
    {
        var path = Path.Combine(directory, Name);
        problem = null;
        try
        {
            if (File.Exists(path))
            {
                try
                {
                    return DeviceKey.FromPem(File.ReadAllText(path));
                }
                catch (InvalidDataException e)
                {
                    // Kept for a person: what was signed by it can still be checked by its public half.
                    problem = $"{path} cannot be used: {e.Message}";
                    File.Move(path, path + ".damaged", overwrite: true);
                }
            }

            var key = DeviceKey.Create();
            Write(path, key.PrivatePem, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Write(Path.Combine(directory, PublicName), key.PublicPem, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            Durable.FlushDirectory(directory);
            return key;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not StoreException)
        {
            throw new StoreException(StoreFailure.Io, $"The key that signs the ledger cannot be read or made: {e.Message} Check the owner and the mode of {path}.", e);
        }
    }

    /// <summary>The key for a command, when this user may read it; null otherwise.</summary>
    public static DeviceKey? TryLoad(string directory)
    {
        try
        {
            return DeviceKey.FromPem(File.ReadAllText(Path.Combine(directory, Name)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        using (var file = new FileStream(temporary, options))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
