namespace EdgeGateway.Tests.Shared;

/// <summary>A double: a folder laid out like the parts of <c>/sys</c>, <c>/proc</c>, <c>/dev</c> and <c>/etc</c> that a test needs.</summary>
internal sealed class KernelTree : IDisposable
{
    /// <summary>The folder that stands for <c>/</c>.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("edgegateway-kernel-").FullName;

    /// <summary>Writes a file as the kernel would show it, in place of what it held.</summary>
    public KernelTree File(string path, string text = "")
    {
        System.IO.File.WriteAllText(Made(path), text);
        return this;
    }

    /// <summary>Makes a link; the target is given from the root.</summary>
    public KernelTree Link(string path, string target)
    {
        var from = Made(path);
        System.IO.File.CreateSymbolicLink(from, Path.GetRelativePath(Path.GetDirectoryName(from)!, Path.Combine(Root, target)));
        return this;
    }

    /// <summary>Takes a file or a folder away.</summary>
    public KernelTree Remove(string path)
    {
        var at = Path.Combine(Root, path);
        if (Directory.Exists(at) && new DirectoryInfo(at).LinkTarget is null)
        {
            Directory.Delete(at, recursive: true);
        }
        else
        {
            System.IO.File.Delete(at);
        }

        return this;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string Made(string path)
    {
        var at = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(at)!);
        return at;
    }
}
