using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Verifying;

/// <summary>The state of an audit in a file, so that it can go on after a restart. Replaced in one step: a crash leaves the old one or the new one.</summary>
internal sealed class AuditFile(string path)
{
    private readonly string _path = Path.GetFullPath(path);

    /// <summary>True when there is a state to go on from.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>The audit as it was saved.</summary>
    /// <exception cref="InvalidDataException">The file is not the state of an audit; the message says what to do.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public FeedAudit Load(FeedAuditOptions options)
    {
        try
        {
            return FeedAudit.Restore(File.ReadAllBytes(_path), options);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message} Name another file with --state, or remove this one to begin anew.", e);
        }
    }

    /// <summary>Replaces the file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(FeedAudit audit)
    {
        var temporary = $"{_path}.new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(audit.Save());
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
        try
        {
            Durable.FlushDirectory(Path.GetDirectoryName(_path)!);
        }
        catch (StoreException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
