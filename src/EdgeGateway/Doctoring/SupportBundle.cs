using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeGateway.Backup;
using EdgeGateway.Control;
using EdgeGateway.Hosting;

namespace EdgeGateway.Doctoring;

/// <summary>What somebody far away needs to help, in one file without secrets (requirement S-6).</summary>
internal sealed partial class SupportBundle
{
    // Of the journal, about a day of a sick gateway; a healthy one is quiet.
    private const string LogLines = "5000";
    private static readonly TimeSpan LogLimit = TimeSpan.FromSeconds(20);

    // What is known of the computer; none of it is private.
    private static readonly string[] Computer = ["etc/os-release", "proc/version", "proc/meminfo", "proc/loadavg", "proc/uptime", "proc/self/mountinfo", "proc/net/route", "proc/device-tree/model"];

    private readonly Patient _patient;
    private readonly Redaction _redaction;
    private readonly List<(string Name, string Text)> _entries = [];
    private readonly List<string> _missing = [];

    private SupportBundle(Patient patient)
    {
        _patient = patient;
        _redaction = new Redaction(Secrets(patient));
    }

    /// <summary>Writes the bundle, for its owner alone; a file of that name is replaced in one step.</summary>
    /// <param name="patient">What was looked at.</param>
    /// <param name="document">What the doctor found.</param>
    /// <param name="path">The file, <c>NAME.tar.gz</c>.</param>
    /// <param name="log">Gives the log of the service, or null when there is none to be had; null asks the journal.</param>
    /// <param name="cancel">Stops waiting for the log.</param>
    /// <returns>The names of what it holds.</returns>
    /// <exception cref="IOException">It cannot be written, or a secret would have stood in it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static async Task<IReadOnlyList<string>> WriteAsync(Patient patient, DoctorDocument document, string path, Func<CancellationToken, Task<string?>>? log, CancellationToken cancel)
    {
        var bundle = new SupportBundle(patient);
        bundle.Collect(document);
        if (await (log ?? JournalAsync)(cancel).ConfigureAwait(false) is { Length: > 0 } lines)
        {
            bundle.Add("log.txt", lines);
        }
        else
        {
            bundle._missing.Add("log.txt: `journalctl -u edgegateway` gave nothing (no systemd, another name of the unit, or no right to read it)");
        }

        bundle.Explain();
        bundle.Write(path);
        return [.. bundle._entries.Select(e => e.Name)];
    }

    private void Collect(DoctorDocument document)
    {
        AddJson("doctor.json", JsonSerializer.Serialize(document, DoctorJson.Default.DoctorDocument));
        if (_patient.Status is { } status)
        {
            AddJson("status.json", JsonSerializer.Serialize(status, ControlJson.Default.StatusDocument));
        }
        else
        {
            _missing.Add($"status.json: {_patient.Refusal ?? "no gateway runs"}");
        }

        AddFile("configuration/gateway.yaml", _patient.Configuration);
        foreach (var (id, text) in _patient.Site?.Profiles.OrderBy(p => p.Key, StringComparer.Ordinal).AsEnumerable() ?? [])
        {
            Add($"configuration/device-profiles/{id}.yaml", text.Text);
        }

        AddFile("last-good/gateway.yaml", Path.Combine(_patient.Storage, GoodCopy.DirectoryName, "gateway.yaml"));
        foreach (var file in Computer)
        {
            AddFile($"system/{file.Replace('/', '-')}", _patient.At(file));
        }
    }

    private void Explain()
    {
        string[] lines =
        [
            $"Support bundle of an EdgeGateway, made {_patient.Now:yyyy-MM-dd HH:mm:ss}Z by version {_patient.Version}.",
            $"Secrets are struck out: {Redaction.Struck} stands in their place. It holds no sample, no password, no key and no certificate.",
            "",
            "Holds:",
            .. _entries.Select(e => $"  {e.Name}"),
            .. _missing.Count == 0 ? (IEnumerable<string>)[] : ["", "Missing:", .. _missing.Select(m => $"  {_redaction.Strike(m)}")],
            "",
        ];
        _entries.Insert(0, ("README.txt", string.Join('\n', lines)));
    }

    private void AddFile(string name, string path)
    {
        try
        {
            if (File.Exists(path))
            {
                Add(name, File.ReadAllText(path));
                return;
            }

            _missing.Add($"{name}: there is no {path}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            _missing.Add($"{name}: {unreadable.Message}");
        }
    }

    private void Add(string name, string text) => _entries.Add((name, _redaction.Strike(text)));

    private void AddJson(string name, string json) => _entries.Add((name, _redaction.StrikeJson(json)));

    private void Write(string path)
    {
        // Once more over everything: a bundle that would tell a secret is not made at all.
        if (_entries.FirstOrDefault(e => _redaction.HoldsKnown(e.Text)) is { Name: { } name })
        {
            throw new IOException($"A secret would stand in {name} of the bundle: nothing was written. Report it, with the kind of secret and not the secret.");
        }

        var half = path + ".part";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        // What a command left that was killed.
        File.Delete(half);
        try
        {
            using (var file = new FileStream(half, options))
            using (var packed = new GZipStream(file, CompressionLevel.Optimal))
            using (var archive = new TarWriter(packed, TarEntryFormat.Pax))
            {
                foreach (var (entry, text) in _entries)
                {
                    archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"edgegateway-support/{entry}")
                    {
                        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                        ModificationTime = _patient.Now,
                        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    });
                }
            }

            File.Move(half, path, overwrite: true);
        }
        catch
        {
            File.Delete(half);
            throw;
        }
    }

    /// <summary>
    /// The contents of every secret file that the configuration names, and names that stand where the name of a file should: a password that somebody wrote there. By the
    /// words alone: a broken file tells its secrets too.
    /// </summary>
    private static IEnumerable<string> Secrets(Patient patient)
    {
        var here = Path.GetDirectoryName(Path.GetFullPath(patient.Configuration))!;
        string[] texts = [Text(patient.Configuration), Text(Path.Combine(patient.Storage, GoodCopy.DirectoryName, "gateway.yaml"))];
        foreach (var match in texts.SelectMany(t => SecretFile().Matches(t)))
        {
            var name = match.Groups["name"].Value.Trim().Trim('"', '\'');
            var file = Path.GetFullPath(name, here);
            if (File.Exists(file))
            {
                yield return Text(file);
            }
            else if (!file.StartsWith(SiteFiles.Credentials, StringComparison.Ordinal))
            {
                // Where a name would end a password may go on.
                yield return name;
                yield return match.Groups["name"].Value + match.Groups["rest"].Value;
            }
        }

        foreach (var file in Credentials().Concat(HandedOver(here)))
        {
            yield return Text(file);
        }
    }

    /// <summary>What systemd makes the service's credentials from, for root: they themselves are there only while the service runs. With what a restore has set aside there.</summary>
    private static IEnumerable<string> HandedOver(string here)
    {
        var secrets = Path.Combine(here, SiteFileList.SecretsDirectory);
        return Directory.Exists(secrets) && Protocols.FileRights.MayRead(secrets) is not false ? Directory.EnumerateFiles(secrets) : [];
    }

    // A file that holds a secret and cannot be read cannot be told either; what it holds may stand in the log all the same, where only its form betrays it.
    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    // systemd.exec(5), credentials of the unit.
    private static string[] Credentials() => Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory && Directory.Exists(directory) ? Directory.GetFiles(directory) : [];

    [GeneratedRegex(@"\b(?:passwordFile|keyFile)[""']?\s*:\s*(?<name>""[^""\r\n]*""|'[^'\r\n]*'|[^\s,}#""'][^,}\r\n#]*)(?<rest>[^\r\n]*)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretFile();

    private static async Task<string?> JournalAsync(CancellationToken cancel)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            // Words of this program only: nothing from a device or a configuration reaches a command line (requirement S-17).
            using var journal = Process.Start(new ProcessStartInfo("journalctl", ["-u", "edgegateway", "-n", LogLines, "--no-pager", "-q", "-o", "short-iso"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            if (journal is null)
            {
                return null;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(LogLimit);
            try
            {
                _ = journal.StandardError.ReadToEndAsync(limit.Token);
                return await journal.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                journal.Kill();
                return null;
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no journalctl here.
            return null;
        }
    }
}
